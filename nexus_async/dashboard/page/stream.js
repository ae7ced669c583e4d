// ---- stream: the connection to the server, lost and found again -----------------------------------------------

const SILENCE = 25; // seconds: the server says something every ten
const RETRY = 2; // seconds, where the browser does not try again by itself

const TITLES = 30; // seconds between two questions for titles that are not known

const link = { state: "connecting", source: null, place: null, heardAt: 0, lostAt: null, titlesAskedAt: 0, why: "" };

function connect() {
  const source = new EventSource(link.place === null ? "events" : `events?after=${encodeURIComponent(link.place)}`);
  link.source = source;
  link.heardAt = Date.now() / 1000;
  const on = (name, take) => source.addEventListener(name, (message) => { heard(message); take(message.data); changed(); });
  on("hello", (data) => {
    const told = JSON.parse(data);
    model.clockShift = told.now - Date.now() / 1000;
    model.allowKill = told.allowKill;
    setLink("live");
  });
  on("snapshot", (data) => { takeSnapshot(JSON.parse(data)); askTitles(); loadMatrices(); });
  on("message", (data) => takeLive(JSON.parse(data)));
  on("beat", () => {});
  on("end", () => { setLink("ended"); source.close(); });
  on("failed", (data) => { setLink("failed", JSON.parse(data)); source.close(); });
  source.onerror = () => {
    if (source === link.source && !isOver()) lose(source.readyState === EventSource.CLOSED);
  };
}

const isOver = () => link.state === "ended" || link.state === "failed";

function heard(message) {
  link.heardAt = Date.now() / 1000;
  if (message.lastEventId) link.place = message.lastEventId;
}

function takeLive(event) {
  takeEvent(event);
  if (event.type === "RunAdded" && !(event.run.flowId in model.flows)) askTitles();
  if (event.type === "RunEnded" && event.runId === view.selected) loadMatrices();
}

function setLink(state, why = "") {
  Object.assign(link, { state, why, lostAt: state === "lost" ? (link.lostAt ?? Date.now() / 1000) : null });
  changed();
}

// Note that the server is gone. A browser tries again by itself, but not after an answer that is no stream.
function lose(isForGood) {
  setLink("lost", link.why);
  if (!isForGood) return;
  link.source.close();
  askWhy();
  setTimeout(connect, RETRY * 1000);
}

async function askWhy() {
  try {
    const answer = await fetch("titles");
    link.why = answer.status === 401 ? "It was started anew with another token: open the URL that it printed." : "";
  } catch {
    link.why = "";
  }
}

// A connection can be gone without a word, as where a machine went to sleep.
function checkSilence() {
  if (link.source === null || isOver() || Date.now() / 1000 - link.heardAt < SILENCE) return;
  link.source.close();
  lose(true);
  link.heardAt = Date.now() / 1000;
}

async function askTitles() {
  link.titlesAskedAt = Date.now() / 1000;
  try {
    const answer = await fetch("titles");
    if (answer.ok) { const told = await answer.json(); model.flows = told.flows; model.projects = told.projects; changed(); }
  } catch {
    // the stream tells that the server is gone
  }
}

// Ask again for what a workflow is called, where Nexus did not answer when it was asked.
function refreshTitles() {
  const isNameless = (run) => !(run.flowId in model.flows);
  if (link.state === "live" && Date.now() / 1000 - link.titlesAskedAt > TITLES && [...model.runs.values()].some(isNameless)) askTitles();
}

async function kill(run) {
  const answer = await fetch(`projects/${encodeURIComponent(run.projectId)}/runs/${encodeURIComponent(run.id)}/kill`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  }).catch((error) => ({ ok: false, text: async () => error.message }));
  if (!answer.ok) view.told = { of: run.id, text: `It was not killed: ${await answer.text()}` };
  changed();
}

function drawLink() {
  const state = link.state === "live" && model.outage ? "outage" : link.state;
  const words = { connecting: "connecting", live: "live", lost: "dashboard lost", outage: "Nexus lost", ended: "over", failed: "failed", report: "report" };
  find("link").dataset.state = state;
  write(find("link").lastElementChild, words[state]);
  const newest = newestTime();
  write(find("freshness"), newest === null ? "" : `data ${writeAge(now() - newest)} old`);
  const trouble = troubleOf(state, newest);
  write(find("trouble"), trouble);
  find("trouble").title = model.outage?.error ?? "";
  show(find("trouble"), trouble !== "");
}

function troubleOf(state, newest) {
  const old = newest === null ? "" : ` The newest data here is ${writeAge(now() - newest)} old.`;
  const refused = Object.entries(model.refused).map(([what, error]) => `${model.projects[what] ?? what}: ${brief(error)}`);
  if (state === "lost") return `The dashboard has not answered for ${writeAge(Date.now() / 1000 - link.lostAt)}; trying again. ${link.why}${old}`;
  if (state === "failed") return `The feed ended: ${link.why}.${old}`;
  if (state === "outage") return `Nexus has not answered for ${writeAge(now() - model.outage.since)} (${brief(model.outage.error)}); it is asked on.${old}`;
  return refused.join("  ");
}
