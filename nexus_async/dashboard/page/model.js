// ---- model: what is known of the runs, from a snapshot and from events ----------------------------------------

const ENDED = new Set(["Finished", "Errored", "Cancelled"]);
const MOST_POINTS = 8000;
const MOST_REMEMBERED = 200;

const model = {
  runs: new Map(),
  flows: {},
  projects: {},
  happened: { notable: [], checkpoints: [] },
  outage: null,
  refused: {},
  allowKill: false,
  clockShift: 0, // seconds by which the server's clock is ahead of this browser's
};

// In a report time stands still: its data is as old as it was then, however long the page is open.
const now = () => (report ? report.now : Date.now() / 1000 + model.clockShift);

// Read a number as the wire has it: one that is not finite is text there.
const readNumber = (value) => (typeof value === "string" ? Number(value) : value);

let runsMade = 0; // tells a run of one snapshot from the same one of the next

function newRun(id) {
  const made = ++runsMade;
  return { id, made, steps: [], times: [], metrics: new Map(), count: 0, failure: null, followed: true, label: null, best: {} };
}

// Tell a state of a curve from every other one.
const versionOf = (run) => `${run.made}:${run.count}`;

function noteRun(run, told) {
  run.projectId = told.projectId;
  run.flowId = told.flowId;
  run.status = told.status.overview;
  run.message = told.status.message || "";
  run.statusAt = told.status.updateDate / 1000;
  run.limit = told.execution?.limit ?? null;
  run.accelerator = told.execution?.accelerator ?? null;
}

function takeSnapshot(data) {
  model.runs = new Map(data.runs.map((row) => [row.run.id, readRow(row)]));
  model.outage = data.outage ?? null;
  model.refused = data.refused ?? {};
  model.happened = { notable: data.events, checkpoints: [] };
}

function readRow(row) {
  const run = newRun(row.run.id);
  noteRun(run, row.run);
  Object.assign(run, { label: row.label, title: row.title, failure: row.failure, followed: row.followed });
  Object.assign(run, { count: row.count, steps: row.steps, times: row.times });
  for (const [name, column] of Object.entries(row.metrics)) run.metrics.set(name, column.map(readNumber));
  return run;
}

function takeEvent(event) {
  const run = model.runs.get(event.runId);
  switch (event.type) {
    case "Checkpoint":
      if (run) addCheckpoint(run, event);
      break;
    case "RunAdded": {
      const added = run ?? newRun(event.runId);
      noteRun(added, event.run);
      Object.assign(added, { label: event.label, followed: true, failure: null });
      model.runs.set(event.runId, added);
      break;
    }
    case "StatusChanged":
    case "RunEnded":
      if (run) { noteRun(run, event.run); run.failure = null; }
      break;
    case "FollowFailed":
      if (run) run.failure = event.error;
      break;
    case "RunRemoved":
      if (run) run.followed = false;
      break;
    case "Disconnected":
      model.outage = event;
      break;
    case "Reconnected":
      model.outage = null;
      break;
    case "ProjectUnavailable":
      model.refused[event.projectId] = event.error;
      break;
  }
  remember(event);
}

function remember(event) {
  if (event.type === "CaughtUp" || event.type === "Lagged") return;
  const list = event.type === "Checkpoint" ? model.happened.checkpoints : model.happened.notable;
  list.push({ at: now(), event });
  if (list.length > 2 * MOST_REMEMBERED) list.splice(0, MOST_REMEMBERED);
}

function addCheckpoint(run, event) {
  for (const name of Object.keys(event.metrics)) {
    if (!run.metrics.has(name)) run.metrics.set(name, run.steps.map(() => null));
  }
  for (const [name, column] of run.metrics) {
    column.push(name in event.metrics ? readNumber(event.metrics[name]) : null);
  }
  run.steps.push(event.step);
  run.times.push(event.time);
  run.count += 1;
  run.failure = null;
  if (run.steps.length > MOST_POINTS) thinOut(run);
}

// Keep every second point of the older half: a page that is open for a week must not grow for a week.
function thinOut(run) {
  const half = run.steps.length >> 1;
  const isKept = (_, i) => i >= half || i % 2 === 0;
  run.steps = run.steps.filter(isKept);
  run.times = run.times.filter(isKept);
  for (const [name, column] of run.metrics) run.metrics.set(name, column.filter(isKept));
}

// ---- what follows from it

const isEnded = (run) => ENDED.has(run.status);
const nameOf = (run) => run.title ?? model.flows[run.flowId] ?? run.label ?? run.flowId;
const lastStep = (run) => run.steps.at(-1) ?? null;
const isBetterLow = (metric) => /loss|error/i.test(metric);

function lastTime(run) {
  for (let i = run.times.length - 1; i >= 0; i--) if (run.times[i] !== null) return run.times[i];
  return null;
}

function valueAt(run, metric, step) {
  const column = run.metrics.get(metric);
  if (!column) return null;
  for (let i = column.length - 1; i >= 0; i--) {
    if (column[i] !== null && (step === null || run.steps[i] <= step)) return column[i];
  }
  return null;
}

// Return the best value, which is sought once for each checkpoint and not for each drawing.
function bestOf(run, metric) {
  const of = `${metric}:${run.count}`;
  if (run.best.of !== of) run.best = { of, value: bestAmong(run.metrics.get(metric) ?? [], isBetterLow(metric)) };
  return run.best.value;
}

function bestAmong(values, isLow) {
  const finite = values.filter(Number.isFinite);
  return finite.length ? finite.reduce((a, b) => (isLow ? Math.min(a, b) : Math.max(a, b))) : null;
}

// Return the share of a run that is done: by its limit, else by how far the last run of its workflow came.
function progressOf(run) {
  if (isEnded(run)) return run.status === "Finished" ? 1 : null;
  const step = lastStep(run);
  if (run.limit?.metric === "LIM_MINUTE" && run.limit.value > 0) {
    if (run.status !== "Running" || run.statusAt === 0) return null; // minutes count from where training began
    return Math.max(0, Math.min(1, (now() - run.statusAt) / 60 / run.limit.value));
  }
  const isByEpochs = run.limit?.metric === "LIM_EPOCHS" && run.limit.value > 0;
  const total = isByEpochs ? run.limit.value : earlierSteps(run);
  return step === null || !total || step > total ? null : step / total;
}

function earlierSteps(run) {
  let latest = null;
  for (const other of model.runs.values()) {
    if (other.flowId !== run.flowId || other.status !== "Finished") continue;
    if (latest === null || other.statusAt > latest.statusAt) latest = other;
  }
  return latest === null ? null : lastStep(latest);
}

// Tell whether a run that goes on should have told more by now: nothing for a minute, and for five times its rhythm.
function isStale(run) {
  const newest = lastTime(run);
  if (run.status !== "Running" || newest === null) return false;
  const first = run.times.find((time) => time !== null);
  const rhythm = (newest - first) / Math.max(1, run.times.length - 1);
  return now() - newest > Math.max(60, 5 * rhythm);
}

function newestTime() {
  let newest = null;
  for (const run of model.runs.values()) {
    const time = lastTime(run);
    if (time !== null && (newest === null || time > newest)) newest = time;
  }
  return newest;
}

function metricNames() {
  const names = new Set();
  for (const run of model.runs.values()) for (const name of run.metrics.keys()) names.add(name);
  const rank = (name) => (name === "totalLoss" ? 0 : /loss/i.test(name) ? 1 : 2);
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
