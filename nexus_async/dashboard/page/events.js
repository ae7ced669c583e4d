// ---- events: what happened, the newest first ------------------------------------------------------------------

const eventsDrawn = { last: null, isWithCheckpoints: false };

function drawEvents() {
  const withCheckpoints = find("checkpoints").checked;
  const { notable, checkpoints } = model.happened;
  const last = [notable.at(-1), checkpoints.at(-1)];
  const isSame = eventsDrawn.last?.[0] === last[0] && (!withCheckpoints || eventsDrawn.last?.[1] === last[1]);
  if (isSame && eventsDrawn.isWithCheckpoints === withCheckpoints && eventsDrawn.flows === model.flows) return;
  Object.assign(eventsDrawn, { last, isWithCheckpoints: withCheckpoints, flows: model.flows });
  const told = [...notable, ...(withCheckpoints ? checkpoints : [])].sort((a, b) => b.at - a.at).slice(0, MOST_REMEMBERED);
  find("events").replaceChildren(...told.map(lineOf));
}

function lineOf({ at, event }) {
  const run = model.runs.get(event.runId);
  const who = event.runId ? whoIs(run, event) : "all runs";
  const [text, kind] = wordsFor(event);
  return make("li", {}, make("time", { datetime: new Date(at * 1000).toISOString() }, writeClock(at)),
    make("span", { class: "who", title: who }, who), make("span", { class: kind, title: event.error ?? null }, text));
}

function whoIs(run, event) {
  if (!run) return shortId(event.runId);
  const isShared = [...model.runs.values()].some((other) => other !== run && nameOf(other) === nameOf(run));
  return isShared ? `${nameOf(run)} ${shortId(run.id)}` : nameOf(run);
}

function wordsFor(event) {
  switch (event.type) {
    case "Checkpoint":
      return [[`step ${event.step}`, ...Object.entries(event.metrics).map(([name, value]) => `${name} ${writeNumber(readNumber(value))}`)].join("  "), ""];
    case "RunAdded":
      return [`followed: ${event.run.status.overview}`, ""];
    case "StatusChanged":
      return [wordsForStatus(event.previous ?? "unknown", event.run.status), kindOf(event.run.status.overview)];
    case "RunEnded":
      return [`over: ${event.outcome}${event.drained ? "" : ", its logs still grew"}`, kindOf(event.outcome)];
    case "LogReset":
      return [`its log was rewritten: ${event.read} entries were read, reading goes on at ${event.resumesAt}`, "warn"];
    case "FollowFailed":
      return [`${event.fatal ? "followed no more" : "cannot be followed for now"}: ${brief(event.error)}`, "bad"];
    case "RunRemoved":
      return ["followed no more", ""];
    case "Disconnected":
      return [`Nexus does not answer: ${brief(event.error)}`, "bad"];
    case "Reconnected":
      return [`Nexus answers again, after ${writeAge(event.seconds)}`, "good"];
    case "ProjectUnavailable":
      return [`${event.label ?? event.projectId} cannot be reached any more: ${brief(event.error)}`, "bad"];
    case "LogEntry":
      return [`${event.ev ?? "entry"}: ${JSON.stringify(event.payload).slice(0, 200)}`, ""];
    default:
      return [event.type, ""];
  }
}

function wordsForStatus(previous, { overview, message }) {
  return `${previous} → ${overview}${ENDED.has(overview) && message ? `: ${message}` : ""}`;
}

const kindOf = (status) => ({ Finished: "good", Errored: "bad", Cancelled: "warn" })[status] ?? "";
