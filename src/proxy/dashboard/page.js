// The page of a running proxy. It is told of changes by server-sent events, and asks for the past when a range is chosen.
// Nothing that it shows is taken for markup: all text goes through textContent.
"use strict";

const at = id => document.getElementById(id);
const n = x => x == null ? "–" : Number(x).toLocaleString("en");
const seconds = ms => ms == null ? "–" : (ms / 1000).toFixed(1);
const share = (part, whole) => whole > 0 ? (100 * part / whole).toFixed(1) + " %" : "unknown";
const make = (tag, text, cls) => { const e = document.createElement(tag); if (text != null) e.textContent = text; if (cls) e.className = cls; return e; };
const fill = (id, children) => at(id).replaceChildren(...children);
const moment = ms => new Date(ms).toLocaleString("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const HOUR = 3600e3, DAY = 24 * HOUR, STEP = 50;

const state = { report: null, now: [], range: "start", past: null, shown: STEP, asked: 0, timer: 0, plot: null };

// What happened since when, and how wide a bar is.
function span() {
  const midnight = new Date(); midnight.setHours(0, 0, 0, 0);
  const started = state.report ? state.report.started_ms : Date.now();
  const long = Date.now() - started;
  switch (state.range) {
    case "today": return { since: midnight.getTime(), bucket: HOUR };
    case "week": { const first = new Date(midnight); first.setDate(first.getDate() - 6); return { since: first.getTime(), bucket: 6 * HOUR }; }
    case "all": return { since: 0, bucket: 0 };
    default: return { since: started, bucket: long < 2 * HOUR ? 60e3 : long < 2 * DAY ? HOUR : 6 * HOUR, start: 1 };
  }
}

async function ask() {
  clearTimeout(state.timer);
  const mine = ++state.asked;
  const query = new URLSearchParams({ ...span(), limit: state.shown, words: at("words").value.trim(), kind: at("kind").value, outcome: at("outcome").value });
  if (at("folded").checked) query.set("folded", 1);
  if (at("repaired").checked) query.set("repaired", 1);
  at("loading").textContent = "reading…";
  try {
    const answer = await fetch("/fanlight/history?" + query, { cache: "no-store" });
    const past = await answer.json();
    if (mine !== state.asked) return;
    if (past.error) throw new Error(past.error.message || "cannot be read");
    state.past = past;
    at("loading").textContent = past.unreadable ? `${n(past.unreadable)} lines of the ledger could not be read` : "";
    showPast();
  } catch (error) {
    if (mine === state.asked) at("loading").textContent = "the past cannot be read: " + error.message;
  }
}

// Many changes in a row are one question; a long past is read seldom.
function askSoon() {
  clearTimeout(state.timer);
  state.timer = setTimeout(ask, state.range === "start" ? 400 : state.range === "today" ? 3000 : 15000);
}

function showNow() {
  const last = state.report && state.report.recent[state.report.recent.length - 1];
  const items = state.now.map(work => {
    const li = make("li"), waits = work.ms / 1000;
    li.append(make("span", "●", "dot"), make("b", work.kind || "request"));
    li.append(make("span", `${n(work.before)} tokens received, ${n(work.after)} sent`));
    li.append(make("span", work.said == null ? `the model reads, ${waits.toFixed(0)} s` : `the model writes, ${n(work.said)} characters, ${waits.toFixed(0)} s`));
    if (work.cuts) li.append(make("span", `history cut ${work.cuts} times`, "soft"));
    return li;
  });
  if (!items.length) items.push(make("li", last ? `Nothing is running. The last request came ${moment(last.at_ms)}.` : "Nothing is running.", "soft"));
  fill("now", items);
}

function showAlerts() {
  const { summary: s, last, rendering, unwritten, rules_error: fault } = state.report, list = [];
  if (fault) list.push("The rule files are broken; the last good ones are in force: " + fault);
  if (state.report.server_cuts) list.push(`The server cut ${n(state.report.server_cuts)} prompts in silence: its window is smaller than ours. fanlight doctor says how to mend that.`);
  if (s.dead.length) list.push("Rules that should match and do not: " + s.dead.join(", "));
  for (const line of rendering || []) list.push(line);
  if (unwritten) list.push(`${n(unwritten)} entries did not reach the disk.`);
  if (s.failed) list.push(`${n(s.failed)} requests failed upstream.`);
  if (last && last.unknown && last.unknown.length) list.push("No rule names these parts of the last prompt: " + last.unknown.join(", "));
  fill("alertlist", list.map(line => make("li", line)));
  at("alerts").hidden = !list.length;
}

function showReport() {
  const report = state.report, newest = report.recent[report.recent.length - 1] || {};
  at("where").textContent = [newest.model || report.model, newest.window && `window ${n(newest.window)}`, newest.channel, `since ${moment(report.started_ms)}`].filter(Boolean).join(" · ");
  if (!state.past) at("page").classList.add("nothing");
  at("how").textContent = `eval "$(fanlight env --listen ${location.host})"\nclaude`;
  showAlerts(); showNow();
}

function showPast() {
  const { summary: s, list, found } = state.past;
  const nothing = s.exchanges === 0 && state.report && state.report.summary.exchanges === 0;
  at("empty").hidden = !nothing || state.now.length > 0;
  at("page").classList.toggle("nothing", s.exchanges === 0);
  at("more").hidden = found <= list.length || list.length >= 500;
  const big = (value, words) => { const d = make("div"); d.append(make("b", value), make("span", words)); return d; };
  const shadow = s.shadow.exchanges ? [big(share(s.shadow.whole - s.shadow.part, s.shadow.whole), `would not have been sent: ${n(s.shadow.exchanges)} requests in shadow`)] : [];
  const saved = s.sent.whole - s.sent.part;
  fill("numbers", [...shadow,
    big(s.sent.exchanges ? share(saved, s.sent.whole) : "–", `not sent: ${n(saved)} of ${n(s.sent.whole)} tokens (o200k)`),
    big(n(s.answered), `answered by a model, ${n(s.local)} here`),
    big(n(s.over_window), `were longer than the window; ${n(s.folded)} with folded history`),
    big(s.cached.exchanges ? share(s.cached.part, s.cached.whole) : "unknown", "of the prompts came from the server's cache"),
    big(s.first_ms.exchanges ? seconds(s.first_ms.part / s.first_ms.exchanges) + " s" : "–", "to the first word, on average"),
    big(n(Object.values(s.repairs).reduce((a, b) => a + b, 0)), "repairs in answers" + (s.refused || s.failed ? `; ${n(s.refused)} refused, ${n(s.failed)} failed` : "")),
  ]);
  showParts(s); showChart(state.past);
  at("found").textContent = found > list.length ? `the newest ${n(list.length)} of ${n(found)}` : n(found);
  fill("rows", list.map(row));
  if (!list.length) fill("rows", [(() => { const tr = make("tr"), td = make("td", s.exchanges ? "Nothing matches the filter." : "Nothing in this time.", "soft"); td.colSpan = 8; tr.append(td); return tr; })()]);
  const kinds = new Set(Object.keys(state.past.kinds)), select = at("kind"), chosen = select.value;
  if (chosen) kinds.add(chosen);
  select.replaceChildren(new Option("all", ""), ...[...kinds].sort().map(kind => new Option(kind || "unknown", kind)));
  select.value = chosen;
}

function showParts(s) {
  const most = Math.max(s.before.total, s.after.total, 1), ns = "http://www.w3.org/2000/svg";
  fill("parts", ["system", "tools", "messages", "total"].map(name => {
    const was = s.before[name], is = s.after[name], row = make("div", null, "part");
    const bar = document.createElementNS(ns, "svg");
    bar.setAttribute("class", "bar"); bar.setAttribute("viewBox", "0 0 100 16"); bar.setAttribute("preserveAspectRatio", "none"); bar.setAttribute("aria-hidden", "true");
    for (const [cls, value] of [["all", Math.max(was, is)], ["of", is]]) {
      const rect = document.createElementNS(ns, "rect");
      rect.setAttribute("class", cls); rect.setAttribute("height", "16"); rect.setAttribute("width", String(100 * value / most));
      bar.append(rect);
    }
    row.append(make("span", name), bar, make("span", `${n(is)} of ${n(was)}${was ? "  (" + (100 * is / was).toFixed(1) + " %)" : ""}`));
    return row;
  }));
}

const colour = name => {
  // light-dark() is resolved by the browser where a colour is used.
  const probe = at("link"), before = probe.style.color;
  probe.style.color = `var(${name})`;
  const value = getComputedStyle(probe).color;
  probe.style.color = before;
  return value;
};

function showChart({ buckets, bucket }) {
  const table = at("charttable"), head = make("tr"), chart = at("chart");
  for (const word of ["from", "requests", "received", "sent"]) head.append(make("th", word, word === "from" ? "" : "n"));
  table.replaceChildren(head, ...buckets.map(b => { const tr = make("tr"); [moment(b.at_ms), n(b.exchanges), n(b.received), n(b.sent)].forEach((text, i) => tr.append(make("td", text, i ? "n" : ""))); return tr; }));
  if (state.plot) { state.plot.destroy(); state.plot = null; }
  at("point").textContent = buckets.length ? "Point at the chart, or move through it with the arrow keys." : "Nothing to draw yet.";
  if (!buckets.length) return;
  const x = buckets.map(b => b.at_ms / 1000), wide = bucket / 1000;
  const soft = colour("--soft"), edge = colour("--edge");
  const axis = { stroke: soft, grid: { stroke: edge, width: 1 }, ticks: { stroke: edge } };
  const clock = (u, ticks, i, space, step) => ticks.map(t => {
    const date = new Date(t * 1000), day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return step >= 86400 || (date.getHours() === 0 && date.getMinutes() === 0) ? day : date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  });
  const bars = uPlot.paths.bars({ size: [0.8, 60], align: 1 });
  const thousands = v => v >= 1e6 ? +(v / 1e6).toFixed(1) + "M" : v >= 1e3 ? +(v / 1e3).toFixed(1) + "k" : String(v);
  const series = (label, name) => ({ label, fill: colour(name), stroke: colour(name), width: 0, paths: bars, points: { show: false } });
  state.plot = new uPlot({
    width: chart.clientWidth, height: 220, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { range: () => [x[0] - wide * .2, Math.max(x[x.length - 1] + wide, x[0] + 8 * wide)] }, y: { range: (u, low, high) => [0, Math.max(high, 1) * 1.08] } },
    axes: [{ ...axis, values: clock, incrs: [60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2419200] }, { ...axis, size: 58, values: (u, ticks) => ticks.map(thousands) }],
    series: [{}, series("received", "--left"), series("sent", "--sent")],
    hooks: { setCursor: [u => point(u.cursor.idx)] },
  }, [x, buckets.map(b => b.received), buckets.map(b => b.sent)], chart);
}

function point(index) {
  const b = index == null ? null : state.past && state.past.buckets[index];
  if (b) at("point").textContent = `${moment(b.at_ms)}: ${n(b.exchanges)} requests, ${n(b.received)} tokens received, ${n(b.sent)} sent${b.received ? " (" + (100 - 100 * b.sent / b.received).toFixed(1) + " % less)" : ""}${b.prompt ? `, ${share(b.cached, b.prompt)} from the cache` : ""}`;
}

function row(entry) {
  const tr = make("tr");
  const cell = (name, content, cls) => { const td = make("td", typeof content === "string" ? content : null, cls); td.dataset.name = name; if (typeof content !== "string") td.append(content); tr.append(td); };
  const open = make("button", moment(entry.at_ms)); open.type = "button";
  open.addEventListener("click", () => detail(entry));
  cell("", open); cell("kind", entry.kind || "–");
  cell("outcome", entry.outcome.replace("_", " "), ["failed", "refused"].includes(entry.outcome) ? "bad" : "");
  cell("received", n(entry.before.total), "n"); cell("sent", n(entry.after.total), "n");
  cell("from cache", entry.cached == null ? "unknown" : share(entry.cached, entry.prompt), "n");
  cell("first, s", seconds(entry.first_ms), "n"); cell("all, s", seconds(entry.total_ms), "n");
  return tr;
}

async function detail(entry) {
  const body = at("d-body"), dialog = at("detail");
  at("d-title").textContent = `${entry.kind || "request"}, ${moment(entry.at_ms)}`;
  body.replaceChildren(make("p", "reading…", "soft"));
  dialog.showModal();
  const answer = await fetch("/fanlight/exchange?" + new URLSearchParams({ at: entry.at_ms, took: entry.total_ms }), { cache: "no-store" });
  const { report, recorded, recording } = answer.ok ? await answer.json() : {};
  const title = text => make("h3", text), parts = [];
  const facts = make("dl");
  const fact = (name, value) => value != null && value !== "" && facts.append(make("dt", name), make("dd", String(value)));
  fact("outcome", entry.outcome.replace("_", " ")); fact("client", entry.version); fact("model", entry.model);
  fact("channel", entry.channel); fact("window", entry.window ? n(entry.window) : ""); fact("profile", report && report.profile);
  fact("first word after", entry.first_ms == null ? "" : seconds(entry.first_ms) + " s"); fact("whole", seconds(entry.total_ms) + " s");
  fact("history", entry.folded_steps ? `${n(entry.folded_steps)} steps folded, ${n(entry.cuts)} cuts so far` : "whole");
  fact("server read", entry.prompt == null ? "unknown" : `${n(entry.prompt)} tokens, ${entry.cached == null ? "cache unknown" : n(entry.cached) + " from its cache"}${entry.predicted_cached == null ? "" : " (" + n(entry.predicted_cached) + " expected)"}`);
  fact("server wrote", entry.output == null ? "unknown" : n(entry.output) + " tokens");
  fact("tools in the index only", report ? report.parked.join(", ") || "none" : n(entry.parked));
  if (entry.dead.length) fact("dead rules", entry.dead.join(", "));
  if (report && report.unknown.length) fact("unknown parts", report.unknown.join(", "));
  parts.push(facts, title("Tokens by part"));
  const table = make("table"), head = make("tr"); for (const word of ["", "received", "sent"]) head.append(make("th", word, word ? "n" : "")); table.append(head);
  for (const name of ["system", "tools", "messages", "total"]) { const tr = make("tr"); [name, n(entry.before[name]), n(entry.after[name])].forEach((t, i) => tr.append(make("td", t, i ? "n" : ""))); table.append(tr); }
  parts.push(table, title("Mended and objected in the answer"));
  const repairs = Object.entries(entry.repairs);
  parts.push(make("p", repairs.length ? repairs.map(([kind, count]) => `${kind} ${count}`).join(", ") : "nothing", repairs.length ? "" : "soft"));
  parts.push(title("Rules that acted"));
  const hits = report ? report.rules.filter(rule => rule.matched).sort((a, b) => b.saved - a.saved) : [];
  if (hits.length) {
    const rules = make("table");
    for (const hit of hits) { const tr = make("tr"), id = make("td"); id.append(make("code", hit.id)); tr.append(id, make("td", n(hit.saved) + " tokens", "n")); rules.append(tr); }
    parts.push(rules);
  } else parts.push(make("p", report ? "none" : "Known of the newest requests of this start only.", "soft"));
  parts.push(title("What was said"));
  if (recorded && recorded.length) {
    const sides = make("div", null, "sides");
    for (const { name, body } of recorded) { const side = make("div"); side.append(make("p", name, "soft"), make("pre", pretty(body))); sides.append(side); }
    parts.push(sides);
  } else parts.push(make("p", recording ? "The recording of this request is not there." : "Not kept. serve --record DIR keeps the bodies of requests from then on.", "soft"));
  body.replaceChildren(...parts);
}

function pretty(body) { try { return JSON.stringify(JSON.parse(body), null, 2); } catch { return body; } }

function listen() {
  const events = new EventSource("/fanlight/events"), link = at("link");
  const say = (text, cls) => { link.textContent = text; link.className = "pill " + cls; };
  events.addEventListener("open", () => say("live", "live"));
  events.addEventListener("error", () => say("the proxy does not answer", "lost"));
  events.addEventListener("now", event => { state.now = JSON.parse(event.data); showNow(); });
  events.addEventListener("report", event => {
    const first = !state.report;
    state.report = JSON.parse(event.data);
    showReport();
    if (first) ask(); else askSoon();
  });
}

function choose(range) {
  state.range = range; state.shown = STEP;
  for (const button of at("ranges").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.range === range));
  if (state.report) ask();
}

at("ranges").addEventListener("click", event => event.target.dataset.range && choose(event.target.dataset.range));
at("more").addEventListener("click", () => { state.shown += 2 * STEP; ask(); });
at("filter").addEventListener("input", () => { state.shown = STEP; clearTimeout(state.timer); state.timer = setTimeout(ask, 250); });
at("filter").addEventListener("submit", event => event.preventDefault());
at("chart").addEventListener("keydown", event => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], plot = state.plot;
  if (!step || !plot) return;
  event.preventDefault();
  const last = plot.data[0].length - 1, from = plot.cursor.idx == null ? (step > 0 ? -1 : last + 1) : plot.cursor.idx;
  const index = Math.min(Math.max(from + step, 0), last), width = state.past.bucket / 1000;
  plot.setCursor({ left: plot.valToPos(plot.data[0][index] + width * .3, "x"), top: 10 });
  point(index);
});
let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => state.plot && state.plot.setSize({ width: at("chart").clientWidth, height: 220 }), 150); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => state.past && showChart(state.past));
choose(["today", "week", "all"].includes(location.hash.slice(1)) ? location.hash.slice(1) : "start");
listen();
