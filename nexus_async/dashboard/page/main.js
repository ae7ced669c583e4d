// ---- main: the page as a whole --------------------------------------------------------------------------------

const LEAST_PAUSE = 100; // milliseconds between two drawings
const data = JSON.parse(find("data").textContent);
const report = data.live ? null : data;
let isDue = false;
let drawnAt = 0;

// Draw soon, and once for all that changes until then. A page that nobody sees is not drawn.
function changed() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, LEAST_PAUSE - (performance.now() - drawnAt)));
}

function draw() {
  isDue = false;
  drawnAt = performance.now();
  drawLink();
  drawAbout();
  drawTable();
  drawCharts();
  drawMatrix();
  drawEvents();
}

function drawAbout() {
  const names = Object.values(model.projects).join(", ");
  const text = report ? `Report of ${model.runs.size} runs, ${writeDate(report.now)}` : names;
  write(find("about"), text);
  const running = [...model.runs.values()].filter((run) => !isEnded(run)).length;
  document.title = report ? text : `${running ? `(${running}) ` : ""}${names || "runs"} · nexus-async`;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  write(find("theme"), theme === "dark" ? "Light" : "Dark");
  find("theme").setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
  changed();
}

// What was chosen is kept where the browser allows it: a file from disk may have no storage.
function kept(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function begin() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(kept("theme") ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (kept("theme") === null) setTheme(dark.matches ? "dark" : "light"); });
  find("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    kept("theme", document.documentElement.dataset.theme);
  });
  find("log").addEventListener("change", (event) => { settings.log = event.target.checked; changed(); });
  find("smooth").addEventListener("input", (event) => {
    settings.smooth = Number(event.target.value);
    write(find("smooth-value"), event.target.value);
    changed();
  });
  find("evaluation").addEventListener("input", (event) => { matrix.at = Number(event.target.value); changed(); });
  for (const id of ["background", "shares", "checkpoints"]) find(id).addEventListener("change", changed);
  find("kill").addEventListener("click", askToKill);
  find("confirm").addEventListener("close", confirmed);
  new ResizeObserver(changed).observe(find("charts"));
  report ? beginReport() : beginLive();
}

function beginLive() {
  // the token has become a cookie: it need not stand in the history, or in a picture of the screen
  history.replaceState(null, "", location.pathname);
  connect();
  setInterval(() => { checkSilence(); refreshTitles(); refreshMatrices(); changed(); }, 1000);
}

function beginReport() {
  document.body.dataset.mode = "report";
  show(find("events-section"), false);
  takeSnapshot(report);
  setLink("report");
}

function askToKill() {
  const run = model.runs.get(view.selected);
  if (!run) return;
  write(find("confirm-name"), nameOf(run));
  write(find("confirm-id"), run.id);
  find("confirm").returnValue = "";
  find("confirm").showModal();
}

function confirmed() {
  const run = model.runs.get(find("confirm-id").textContent);
  if (run && find("confirm").returnValue === "kill") kill(run);
}

begin();
