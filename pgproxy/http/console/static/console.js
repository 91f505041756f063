// The overview's live part: asks for the numbers, puts them into the page as text, draws the charts as SVG.
"use strict";
(() => {
  const EVERY_MS = 3000, HEIGHT = 160, LEFT = 52, LEAST_SLICES = 60, RIGHT = 8, TOP = 8, BOTTOM = 20;
  const $ = (id) => document.getElementById(id);
  const say = (id, value) => { const node = $(id); if (node) node.textContent = value; };
  const svg = (name, facts = {}, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(facts)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const html = (name, facts = {}, ...inside) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(facts)) node.setAttribute(key, value);
    node.append(...inside.map((one) => (one instanceof Node ? one : String(one))));
    return node;
  };
  const bytes = (value) => {
    for (const unit of ["B", "KiB", "MiB", "GiB"]) {
      if (value < 1024) return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
      value /= 1024;
    }
    return `${value.toFixed(1)} TiB`;
  };
  const span = (s) => (s >= 172800 ? `${Math.round(s / 86400)} days` : s >= 7200 ? `${Math.round(s / 3600)} h`
    : s >= 120 ? `${Math.round(s / 60)} min` : `${Math.round(s)} s`);
  const number = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit === "ms" && value >= 1000) return `${(value / 1000).toFixed(2)} s`;
    const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return `${value.toFixed(value === 0 ? 0 : digits)}${unit === "ms" ? " ms" : " " + unit}`;
  };
  const badge = (word) => html("span", { class: `badge ${word.toLowerCase()}` }, word);
  const head = (text) => html("th", { scope: "row" }, text);
  const cell = (text, kind = "") => html("td", kind ? { class: kind } : {}, text);
  const fill = (body, rows, columns, nothing) => {
    if (!body) return;
    const held = body.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : null;
    body.replaceChildren(...(rows.length ? rows
      : [html("tr", {}, html("td", { colspan: columns, class: "quiet" }, nothing))]));
    if (held) body.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
  };

  // ---- charts
  const nice = (value) => {
    if (value <= 0) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
  };
  const draw = (figure, series, step) => {
    const unit = figure.dataset.unit, names = Object.keys(series), WIDTH = Math.max(280, figure.clientWidth);
    series = lately(series);
    const count = Math.max(0, ...names.map((name) => series[name].length));
    const top = nice(Math.max(0, ...names.flatMap((name) => series[name].filter((v) => v !== null))));
    const x = (at) => LEFT + (at / Math.max(1, count - 1)) * (WIDTH - LEFT - RIGHT);
    const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
    const title = figure.parentElement.querySelector("h2").textContent;
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${names
      .map((name) => `${name} ${number(latest(series[name]), unit)}`).join(", ") || "nothing yet"}` });
    for (const share of [0, 0.5, 1]) {
      const at = y(top * share);
      picture.append(svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }));
      if (names.length) picture.append(svg("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, number(top * share, unit).replace(" /s", "")));
    }
    for (const [share, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
      const ago = +(((1 - share) * (count - 1) * step) / 60).toFixed(1);
      if (names.length) picture.append(svg("text", { x: LEFT + share * (WIDTH - LEFT - RIGHT), y: HEIGHT - 4, "text-anchor": anchor },
        ago > 0 ? `${ago} min ago` : "now"));
    }
    const caption = html("figcaption");
    const values = names.map((name, place) => {
      const kind = `s${place % 6}`;
      let path = "", pen = false;
      series[name].forEach((value, at) => {
        if (value === null) { pen = false; return; }
        path += `${pen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = true;
      });
      picture.append(svg("path", { class: kind, d: path || "M0 0" }));
      const key = svg("svg", { class: "key", viewBox: "0 0 14 10", "aria-hidden": "true" });
      key.append(svg("path", { class: kind, d: "M1 5H13" }));
      const shown = html("b", {}, number(latest(series[name]), unit));
      caption.append(html("span", {}, key, `${name} `, shown));
      return shown;
    });
    if (!names.length) picture.append(svg("text", { class: "none", x: WIDTH / 2, y: HEIGHT / 2 }, "Nothing in the last 15 minutes"));
    const cursor = svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    picture.append(cursor);
    const show = (at) => values.forEach((node, place) => {
      const all = series[names[place]];
      node.textContent = number(at === null ? latest(all) : all[at], unit);
    });
    picture.addEventListener("pointermove", (event) => {
      const box = picture.getBoundingClientRect();
      const inside = ((event.clientX - box.left) / box.width) * WIDTH;
      const at = Math.round(((inside - LEFT) / (WIDTH - LEFT - RIGHT)) * (count - 1));
      if (at < 0 || at >= count) return;
      cursor.setAttribute("x1", x(at)); cursor.setAttribute("x2", x(at)); cursor.setAttribute("visibility", "visible");
      show(at);
    });
    picture.addEventListener("pointerleave", () => { cursor.setAttribute("visibility", "hidden"); show(null); });
    figure.replaceChildren(picture, caption);
  };
  const lately = (series) => { // without the empty time before the first value
    const all = Object.values(series), whole = Math.max(0, ...all.map((values) => values.length));
    const first = Math.min(whole, ...all.map((values) => values.findIndex((v) => v)).map((at) => (at < 0 ? whole : at)));
    const from = Math.max(0, Math.min(first - 2, whole - LEAST_SLICES));
    return Object.fromEntries(Object.entries(series).map(([name, values]) => [name, values.slice(from)]));
  };
  const latest = (values) => { for (let at = values.length - 1; at >= 0; at--) if (values[at] !== null) return values[at]; return null; };

  // ---- the page
  const showGateway = (health) => {
    const state = $("t-health");
    state.textContent = health.is_healthy ? "healthy" : health.draining ? "draining" : "unhealthy";
    state.className = health.is_healthy ? "good" : "bad";
    say("t-uptime", span(health.uptime_seconds)); say("t-active", health.active_queries);
    say("t-connections", health.connections); say("t-queued", health.queued_jobs);
    say("t-running", health.running_jobs); say("t-oldest", span(health.oldest_queued_seconds));
    say("t-memory", bytes(health.memory_used_bytes)); say("t-epoch", health.policy_epoch);
    say("t-lag", health.policy_epoch_lag); say("t-metastore", health.metastore);
  };
  const showRollout = (rollout) => {
    if (Boolean(rollout) !== Boolean($("r-status"))) { location.reload(); return; }
    if (!rollout) return;
    const status = $("r-status");
    status.textContent = rollout.status; status.className = `badge ${rollout.status.toLowerCase()}`;
    say("r-percent", +rollout.percent.toFixed(3)); say("r-reason", rollout.reason); say("r-waits", rollout.waits);
    [...$("r-stages").children].forEach((stage, place) => {
      stage.className = place < rollout.stage ? "done" : place === rollout.stage ? "now" : "";
    });
    fill($("r-rows"), rollout.rows.map((row) => html("tr", {}, head(row[0]), ...row.slice(1).map((v) => cell(v, "n")))), 4, "");
    for (const button of document.querySelectorAll("[data-move]")) button.hidden = !rollout.actions.includes(button.dataset.move);
  };
  const showRunning = (running, isAdmin) => {
    const body = $("running");
    const cancel = (pid) => html("form", { method: "post", action: "/console/cancel" },
      html("input", { type: "hidden", name: "csrf", value: body.dataset.csrf }),
      html("input", { type: "hidden", name: "pid", value: pid }),
      html("button", { class: "small danger", "data-key": pid, "aria-label": `Cancel the statement of session ${pid}` }, "Cancel"));
    fill(body, running.map((q) => html("tr", {}, cell(q.pid, "n"), cell(q.principal), cell(q.kind), cell(q.route),
      cell(`${q.seconds} s`, "n"), html("td", { class: "sql" }, html("code", {}, q.query)),
      html("td", {}, isAdmin ? cancel(q.pid) : ""))), 7, "Nothing runs.");
  };
  const showFleet = (facts) => {
    fill($("endpoints"), facts.endpoints.map((e) => html("tr", {}, head(e.name), html("td", {}, badge(e.health)),
      cell(`${e.load} / ${e.capacity}`, "n"), cell(e.queued, "n"), cell(bytes(e.memory_used_bytes), "n"), cell(bytes(e.spool_bytes), "n"),
      cell(e.clock_skew_s === null ? "–" : `${e.clock_skew_s < 0 ? "" : "+"}${e.clock_skew_s.toFixed(2)} s`, "n"))), 7,
      "No endpoint is registered.");
    fill($("shadow"), Object.entries(facts.shadow.counts).map(([name, counts]) => html("tr", {}, head(name),
      ...["match", "mismatch", "failed", "dropped"].map((outcome) => cell(counts[outcome] || 0, "n")))), 5,
      "Nothing was shadowed since the start.");
    fill($("mismatches"), facts.shadow.mismatches.map((m) => html("tr", {},
      cell(new Date(m.at * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC"), cell(m.endpoint), cell(m.difference),
      html("td", {}, html("code", {}, m.fingerprint)), cell(`${m.local_ms} ms`, "n"), cell(`${m.remote_ms} ms`, "n"))), 6, "None.");
  };
  let charts = null;
  const drawAll = () => {
    if (!charts) return;
    for (const figure of document.querySelectorAll("[data-chart]")) draw(figure, charts[figure.dataset.chart], charts.step);
  };
  addEventListener("resize", drawAll);
  const refresh = async () => {
    let answer;
    try {
      answer = await fetch("/console/live.json", { credentials: "same-origin" });
    } catch { $("stale").hidden = false; return; }
    if (answer.status === 401) { location.href = "/console/login?ended=page"; return; }
    if (!answer.ok) { $("stale").hidden = false; return; }
    const facts = await answer.json();
    $("stale").hidden = true;
    showGateway(facts.health); showRollout(facts.rollout); showFleet(facts); showRunning(facts.running, facts.is_admin);
    charts = facts.charts;
    drawAll();
    document.documentElement.dataset.live = String(facts.charts.end);
  };
  const keepFresh = async () => { if (!document.hidden) await refresh(); setTimeout(keepFresh, EVERY_MS); };
  for (const button of document.querySelectorAll("[data-confirm]")) {
    button.addEventListener("click", (event) => { if (!confirm(button.dataset.confirm)) event.preventDefault(); });
  }
  if ($("t-health")) keepFresh();
})();
