"""Who is trusted, and who we are, where the connection is one of TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from nexus_async.errors import ConfigurationError

if TYPE_CHECKING:
    from os import PathLike


def ssl_context(
    certificate: str | PathLike[str] | None,
    private_key: str | PathLike[str] | None,
    authorities: str | PathLike[str] | None,
) -> ssl.SSLContext | None:
    """Return a context of these files, None of none; raise `ConfigurationError` for unusable ones."""
    if certificate is None and private_key is None and authorities is None:
        return None
    if (certificate is None) != (private_key is None):
        missing = "private_key_file" if private_key is None else "certificate_file"
        raise ConfigurationError(f"{missing} is missing: mutual TLS needs the certificate and its private key")
    try:
        context = ssl.create_default_context(cafile=authorities)
        if certificate is not None:
            context.load_cert_chain(certificate, private_key, password=_no_password)
    except (OSError, TypeError, ValueError) as failure:  # ssl.SSLError is an OSError
        files = ", ".join(str(file) for file in (certificate, private_key, authorities) if file is not None)
        raise ConfigurationError(f"cannot use {files} for TLS: {failure}") from None
    return context


def _no_password() -> str:
    raise ConfigurationError("private_key_file is encrypted: give one that is not, openssl pkey makes it")
