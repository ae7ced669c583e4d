"""Mutual TLS over loopback, with authorities of our own."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from nexus_async import Client, ConnectError, ConnectionLostError
from nexus_async.local import LocalNexus, ScriptedTrainer

if TYPE_CHECKING:
    from pathlib import Path


class Papers:
    """An authority, what it issued to server and client, and the files of those."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        mine = authority.issue_cert("client@example.com")
        self.ca_file = folder / "authority.pem"
        self.certificate_file = folder / "client.pem"
        self.private_key_file = folder / "client.key"
        authority.cert_pem.write_to_path(self.ca_file)
        mine.cert_chain_pems[0].write_to_path(self.certificate_file)
        mine.private_key_pem.write_to_path(self.private_key_file)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.server)
        authority.configure_trust(self.server)

    def nexus(self, verify: ssl.VerifyMode) -> LocalNexus:
        self.server.verify_mode = verify
        return LocalNexus(ScriptedTrainer(), ssl_context=self.server)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


async def test_a_certificate_stands_for_the_key_which_is_not_sent(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", "a-wrong-key")  # sent, it would be refused
    async with (
        papers.nexus(ssl.CERT_REQUIRED) as nexus,
        Client(
            endpoint=nexus.url,
            certificate_file=papers.certificate_file,
            private_key_file=papers.private_key_file,
            ca_file=papers.ca_file,
        ) as client,
    ):
        assert (await client.get_info()).name == "Local workspace"


async def test_paths_may_be_strings(papers: Papers) -> None:
    async with (
        papers.nexus(ssl.CERT_REQUIRED) as nexus,
        Client(
            endpoint=nexus.url,
            certificate_file=str(papers.certificate_file),
            private_key_file=str(papers.private_key_file),
            ca_file=str(papers.ca_file),
        ) as client,
    ):
        assert (await client.get_info()).name == "Local workspace"


async def test_authorities_of_ones_own_are_trusted_beside_a_key(papers: Papers) -> None:
    async with (
        papers.nexus(ssl.CERT_NONE) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url, ca_file=papers.ca_file) as client,
    ):
        assert (await client.get_info()).name == "Local workspace"


async def test_an_unknown_authority_is_not_trusted(papers: Papers) -> None:
    async with (
        papers.nexus(ssl.CERT_NONE) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url, attempts=1) as client,
    ):
        with pytest.raises(ConnectError, match="certificate verify failed"):
            await client.get_info()


async def test_without_a_certificate_a_server_that_wants_one_says_no(papers: Papers) -> None:
    async with (
        papers.nexus(ssl.CERT_REQUIRED) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url, ca_file=papers.ca_file, attempts=1) as client,
    ):
        with pytest.raises((ConnectError, ConnectionLostError)):
            await client.get_info()
