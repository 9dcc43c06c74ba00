// The browser's half of the grid (sdrs_nb/widgets/grid.py; the questions it asks are listed in grid_messages.py).
//
// It holds the rows on screen and nothing else: search, filters, order and selection live in the kernel.  Every
// text of the inventory reaches the page through textContent, so no markup in a name can run.

const ROW = 28; // pixels, as in grid.css
const SPARE = 15; // rows fetched above and below those on screen
const TYPING_MS = 90; // a pause in typing before the kernel is asked
const PATIENCE_MS = 1500; // before the operator is told that the kernel is busy
const HEAD = -2; // the active row may be the titles,
const FILTER = -1; // or the filters; rows count from 0
const NARROWEST = 48;
const ASIDE = new Set(["choices", "detail", "export", "copy"]); // questions that bring no page

let made = 0;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  node.append(...children); // a string becomes a text node
  return node;
}

// Word, colour and shape: a state is never told by colour alone.
const OUTLINES = {
  good: "M6 1a5 5 0 1 0 0 10a5 5 0 0 0 0-10z",
  warning: "M6 1l5.5 10h-11z",
  bad: "M1.5 1.5h9v9h-9z",
  running: "M6 1a5 5 0 1 0 0 10z M6 1a5 5 0 0 1 0 10 M6 1a5 5 0 0 1 0 10",
  unknown: "M6 .5l5.5 5.5l-5.5 5.5l-5.5-5.5z",
  neutral: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9z",
};
const HOLLOW = new Set(["neutral"]);

function shape(tone) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 12 12");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("class", `sdrs-shape sdrs-tone-${tone in OUTLINES ? tone : "neutral"}`);
  const outline = document.createElementNS(space, "path");
  outline.setAttribute("d", OUTLINES[tone] ?? OUTLINES.neutral);
  outline.setAttribute("fill", HOLLOW.has(tone) || !(tone in OUTLINES) ? "none" : "currentColor");
  outline.setAttribute("stroke", "currentColor");
  drawing.append(outline);
  return drawing;
}

function fill(node, cell) {
  if (Array.isArray(cell)) node.replaceChildren(shape(cell[1]), make("span", { class: "sdrs-text" }, cell[0]));
  else node.replaceChildren(make("span", { class: "sdrs-text" }, cell));
  node.title = Array.isArray(cell) ? cell[0] : cell;
}

class Grid {
  constructor(model, el) {
    this.model = model;
    this.uid = `sdrs-grid-${Date.now().toString(36)}-${++made}`;
    this.seq = 0; // of the last question
    this.asked = 0; // of the last one that brings a page
    this.newest = 0; // answers to earlier questions are out of date
    this.waiting = false; // a page was asked for and has not come
    this.stale = false; // something changed meanwhile: ask once more
    this.columns = [];
    this.visible = [];
    this.widths = {};
    this.frozen = false; // column widths are the operator's, no longer ours
    this.rows = new Map(); // index -> [id, selected, cells]
    this.drawn = new Map(); // index -> element
    this.state = { version: -1, layout: -1, total: 0, shown: 0, selected: 0, hidden: 0, sort: [], filters: {}, search: "" };
    this.active = { row: 0, col: 0 };
    this.anchor = null; // id that Shift extends from
    this.toggles = new Map(); // id -> selected, not yet sent
    this.typed = { filters: {} }; // search and filters, not yet sent
    this.problems = {};
    this.texts = {};
    this.top = 0; // where the rows were scrolled to while they could be seen
    this.build(el);
    this.listen();
    this.ask("hello");
  }

  // ---- to and from the kernel

  ask(type, extra = {}) {
    const [start, stop] = this.wanted();
    this.seq += 1;
    if (!ASIDE.has(type)) {
      this.waiting = true;
      this.asked = this.seq;
      this.stale = false;
      if (type !== "rows") this.newest = this.seq;
      clearTimeout(this.patience);
      this.patience = setTimeout(() => this.showNote(this.texts.waiting ?? "", "busy"), PATIENCE_MS);
    }
    this.model.send({ type, view: this.uid, seq: this.seq, start, stop, ...extra });
  }

  hear(message) {
    if (message.type === "changed") {
      if (message.version > this.state.version) this.refresh();
      return;
    }
    if (message.view !== this.uid) return;
    if (message.type === "choices") return this.openChoices(message);
    if (message.type === "detail") return this.openDetail(message);
    if (message.type === "export") return this.save(message);
    if (message.type === "copy") return this.copy(message.text, this.texts.copied_rows);
    if (message.seq < this.newest) return;
    this.newest = message.seq;
    if (message.seq === this.asked) this.settle();
    if (message.type === "setup") this.takeSetup(message);
    this.takePage(message);
  }

  settle() {
    this.waiting = false;
    clearTimeout(this.patience);
    if (this.noteKind === "busy") this.showNote("");
  }

  refresh() {
    if (this.waiting) this.stale = true;
    else this.ask("rows");
  }

  takeSetup(message) {
    Object.assign(this.texts, message.texts);
    this.columns = message.columns;
    this.visible = message.visible.map((name) => this.columns.find((column) => column.name === name));
    this.widths = message.widths;
    this.hasDetail = message.detail;
    this.height ??= message.height;
    this.scroll.setAttribute("aria-label", message.title);
    this.rows.clear();
    this.layout(message.rows);
    this.label();
    this.state.layout = message.state.layout;
  }

  takePage(message) {
    if (message.state.layout !== this.state.layout) return this.ask("hello");
    if (message.state.version !== this.state.version) this.rows.clear();
    this.state = message.state;
    message.rows.forEach((row, at) => this.rows.set(message.start + at, row));
    for (const row of this.rows.values()) if (this.toggles.has(row[0])) row[1] = this.toggles.get(row[0]);
    if (message.problems) this.problems = { ...this.problems, ...message.problems };
    this.draw();
    if (this.stale || !this.isCovered()) this.refresh();
  }

  // The rows a page should hold: those on screen and some on either side.
  wanted() {
    if (!this.scroll || !this.scroll.clientHeight) return [0, 60];
    const first = Math.floor(this.scroll.scrollTop / ROW);
    const count = Math.ceil(this.scroll.clientHeight / ROW);
    return [Math.max(0, first - SPARE), Math.min(first + count + SPARE, Math.max(this.state.shown, 60))];
  }

  isCovered() {
    const [first, last] = this.onScreen();
    for (let index = first; index < last; index += 1) if (!this.rows.has(index)) return false;
    return true;
  }

  onScreen() {
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW));
    const count = Math.ceil((this.scroll.clientHeight - this.head.offsetHeight) / ROW) + 1;
    return [first, Math.min(this.state.shown, first + count)];
  }

  // What was typed or ticked goes first: "select all shown" must mean the rows of the filter as it reads now.
  sendTyped() {
    clearTimeout(this.typing);
    const { filters, search } = this.typed;
    this.typed = { filters: {} };
    const extra = {};
    if (search !== undefined) extra.search = search;
    if (Object.keys(filters).length) extra.filters = filters;
    if (!Object.keys(extra).length) return;
    for (const name of Object.keys(filters)) delete this.problems[name];
    this.toTop();
    this.ask("view", extra);
  }

  sendToggles() {
    clearTimeout(this.toggling);
    if (!this.toggles.size) return;
    const add = [];
    const remove = [];
    for (const [id, on] of this.toggles) (on ? add : remove).push(id);
    this.toggles.clear();
    this.ask("select", { add, remove });
  }

  change(type, extra) {
    this.sendTyped();
    this.sendToggles();
    this.ask(type, extra);
  }

  typeSoon() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.sendTyped(), TYPING_MS);
  }

  toTop() {
    this.scroll.scrollTop = 0;
    this.anchor = null;
    if (this.active.row > 0) this.active.row = 0;
  }

  // ---- building

  build(el) {
    const button = (name, run) => {
      const node = make("button", { type: "button", class: "sdrs-button", onclick: run });
      this[`${name}Button`] = node;
      return node;
    };
    this.search = make("input", { type: "search", class: "sdrs-search", spellcheck: "false", autocomplete: "off" });
    this.search.addEventListener("input", () => {
      this.typed.search = this.search.value;
      this.typeSoon();
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "ArrowDown") this.backToRows(event);
    });
    this.bar = make("div", { class: "sdrs-bar" }, this.search,
      button("clearFilters", () => this.clearFilters()),
      button("clearSelection", () => this.change("select", { clear: true })),
      make("span", { class: "sdrs-gap" }),
      button("columns", () => this.openColumns()),
      button("copy", () => { this.sendToggles(); this.ask("copy"); }),
      button("export", () => { this.sendTyped(); this.ask("export"); }),
    );
    this.titles = make("div", { role: "row", "aria-rowindex": 1, class: "sdrs-row sdrs-titles" });
    this.filters = make("div", { role: "row", "aria-rowindex": 2, class: "sdrs-row sdrs-filters" });
    this.head = make("div", { role: "rowgroup", class: "sdrs-head" }, this.titles, this.filters);
    this.body = make("div", { role: "rowgroup", class: "sdrs-body" });
    this.scroll = make("div", { role: "grid", class: "sdrs-scroll", tabindex: 0, "aria-multiselectable": "true",
      "aria-describedby": `${this.uid}-keys` }, this.head, this.body);
    this.empty = make("div", { class: "sdrs-empty", hidden: true });
    this.detail = make("div", { class: "sdrs-detail", role: "region", hidden: true });
    this.main = make("div", { class: "sdrs-main" }, this.scroll, this.empty, this.detail);
    this.status = make("span", { role: "status", class: "sdrs-count" });
    this.noteNode = make("span", { role: "alert", class: "sdrs-note" });
    this.keys = make("span", { id: `${this.uid}-keys`, class: "sdrs-keys" });
    this.popup = make("div", { class: "sdrs-popup", role: "dialog", hidden: true });
    this.root = make("div", { class: "sdrs-grid" }, this.bar, this.main,
      make("div", { class: "sdrs-foot" }, this.status, this.noteNode, this.keys), this.popup);
    el.append(this.root);
  }

  label() {
    const { texts } = this;
    this.search.placeholder = texts.search;
    this.search.setAttribute("aria-label", texts.search);
    this.clearFiltersButton.textContent = texts.clear_filters;
    this.clearSelectionButton.textContent = texts.clear_selection;
    for (const [name, title] of [["columns", "columns_title"], ["copy", "copy_title"], ["export", "export_title"]]) {
      this[`${name}Button`].textContent = texts[name];
      this[`${name}Button`].title = texts[title];
    }
    this.columnsButton.setAttribute("aria-haspopup", "dialog");
    this.keys.textContent = texts.keys;
    this.search.value = this.typed.search ?? this.state.search;
  }

  // Titles, filters and widths; from here on a column is known by its place.
  layout(rows) {
    this.drawn.forEach((node) => node.remove());
    this.drawn.clear();
    const all = make("span", { class: "sdrs-check" });
    this.checkAll = this.cell("columnheader", HEAD, 0, all);
    this.checkAll.setAttribute("aria-label", this.texts.select_all);
    this.checkAll.title = this.texts.select_all;
    this.titles.replaceChildren(this.checkAll, ...this.visible.map((column, at) => this.titleCell(column, at + 1)));
    const first = this.cell("gridcell", FILTER, 0);
    first.setAttribute("aria-label", this.texts.selected);
    this.filters.replaceChildren(first, ...this.visible.map((column, at) => this.filterCell(column, at + 1)));
    this.scroll.setAttribute("aria-colcount", this.visible.length + 1);
    this.active.col = Math.min(this.active.col, this.visible.length);
    this.natural = this.measure(rows.slice(0, 60));
    this.applyWidths();
  }

  // As wide as the first rows and the title need, within reason.
  measure(rows) {
    const most = Math.min(330, Math.max(150, 0.45 * (this.root.clientWidth || 1000)));
    const brush = document.createElement("canvas").getContext("2d");
    const style = getComputedStyle(this.root);
    const wide = (texts, weight) => {
      brush.font = `${weight} ${style.fontSize} ${style.fontFamily}`;
      return Math.max(...texts.map((text) => brush.measureText(text.slice(0, 80)).width), 0);
    };
    return Object.fromEntries(this.visible.map((column, at) => {
      const cells = rows.map((row) => (Array.isArray(row[2][at]) ? row[2][at][0] : row[2][at])).concat(column.values);
      const needed = wide(cells, at === 0 ? 500 : 400) + (column.status ? 17 : 0) + 22;
      return [column.name, Math.ceil(Math.min(Math.max(needed, wide([column.title], 600) + 40, column.kind === "text" ? 124 : 88), most))];
    }));
  }

  applyWidths() {
    const width = (column) => this.widths[column.name] ?? this.natural[column.name];
    const tracks = this.visible.map((column) => (this.frozen || column.name in this.widths
      ? `${width(column)}px` : `minmax(${width(column)}px, ${width(column)}fr)`));
    const sum = this.visible.reduce((total, column) => total + width(column), 36);
    this.scroll.style.setProperty("--tracks", ["36px", ...tracks].join(" "));
    this.scroll.style.setProperty("--sum", `${sum}px`);
  }

  cell(role, row, col, ...children) {
    const column = this.visible[col - 1];
    const kinds = ["sdrs-cell"];
    if (col === 0) kinds.push("sdrs-tick");
    if (col === 1) kinds.push("sdrs-first");
    if (column?.kind === "number") kinds.push("sdrs-number");
    const node = make("div", { role, class: kinds.join(" "), "aria-colindex": col + 1, id: `${this.uid}-${row}-${col}` }, ...children);
    node.dataset.col = col;
    return node;
  }

  titleCell(column, at) {
    const pull = make("span", { class: "sdrs-pull", title: this.texts.resize, "aria-hidden": "true" });
    pull.addEventListener("pointerdown", (event) => this.pull(event, at));
    pull.addEventListener("click", (event) => event.stopPropagation());
    const node = this.cell("columnheader", HEAD, at,
      make("span", { class: "sdrs-text" }, column.title), make("span", { class: "sdrs-sorted", "aria-hidden": "true" }), pull);
    node.title = column.title;
    return node;
  }

  filterCell(column, at) {
    const name = this.texts.filter_of.replace("{title}", () => column.title);
    const node = this.cell("gridcell", FILTER, at);
    if (column.kind === "choice") {
      const button = make("button", { type: "button", class: "sdrs-choose", tabindex: -1, "aria-haspopup": "dialog", "aria-label": name });
      button.addEventListener("click", () => this.askChoices(column));
      node.append(button);
      return node;
    }
    const isRange = column.kind === "number" || column.kind === "time";
    const hint = isRange ? this.texts[`range_${column.kind}`] : this.texts.contains;
    const input = make("input", { class: "sdrs-filter", tabindex: -1, placeholder: hint, "aria-label": name,
      spellcheck: "false", autocomplete: "off" });
    input.addEventListener("input", () => this.typeFilter(column, at));
    node.append(input);
    if (!isRange) {
      const regex = make("button", { type: "button", class: "sdrs-regex", tabindex: -1, "aria-pressed": "false",
        title: this.texts.regex, "aria-label": `${name}: ${this.texts.regex}` }, ".*");
      regex.addEventListener("click", () => {
        regex.setAttribute("aria-pressed", regex.getAttribute("aria-pressed") === "true" ? "false" : "true");
        if (input.value) this.typeFilter(column, at);
        input.focus();
      });
      node.append(regex);
    }
    return node;
  }

  typeFilter(column, at) {
    const node = this.filters.children[at];
    const input = node.querySelector("input");
    const regex = node.querySelector(".sdrs-regex");
    const kind = regex === null ? "range" : regex.getAttribute("aria-pressed") === "true" ? "regex" : "contains";
    this.typed.filters[column.name] = input.value.trim() ? { kind, text: input.value } : null;
    this.typeSoon();
  }

  clearFilters() {
    clearTimeout(this.typing);
    this.typed = { filters: {} };
    this.problems = {};
    this.search.value = "";
    for (const input of this.filters.querySelectorAll("input")) input.value = "";
    this.toTop();
    this.ask("view", { clear: true });
  }

  // ---- drawing

  draw() {
    const { state } = this;
    this.scroll.setAttribute("aria-rowcount", state.shown + 2);
    this.body.style.height = `${state.shown * ROW}px`;
    if (!this.pulled) {
      const tall = Math.min(this.height, Math.max(this.head.offsetHeight + state.total * ROW + 18, 180));
      this.main.style.height = `${tall}px`;
    }
    this.active.row = Math.min(this.active.row, Math.max(state.shown - 1, FILTER));
    this.drawHead();
    this.drawRows();
    this.status.textContent = state.text;
    this.clearFiltersButton.hidden = !(state.search.trim() || Object.keys(state.filters).length || Object.keys(this.problems).length);
    this.clearSelectionButton.hidden = !state.selected;
    this.empty.hidden = state.shown > 0;
    this.empty.textContent = state.total ? this.texts.no_match : this.texts.no_rows;
    const wrong = Object.values(this.problems);
    if (wrong.length) this.showNote(wrong[0], "bad");
    else if (this.noteKind === "bad") this.showNote("");
  }

  drawHead() {
    const { state } = this;
    const seen = state.selected - state.hidden;
    const all = state.shown > 0 && seen === state.shown;
    this.checkAll.dataset.state = all ? "all" : seen ? "some" : "none";
    this.visible.forEach((column, at) => {
      const place = state.sort.findIndex(([name]) => name === column.name);
      const title = this.titles.children[at + 1];
      const descending = place >= 0 && state.sort[place][1];
      title.setAttribute("aria-sort", place < 0 ? "none" : descending ? "descending" : "ascending");
      const rank = state.sort.length > 1 && place >= 0 ? String(place + 1) : "";
      title.querySelector(".sdrs-sorted").textContent = place < 0 ? "" : `${descending ? "▼" : "▲"}${rank}`;
      this.drawFilter(column, this.filters.children[at + 1]);
    });
    if (document.activeElement !== this.search && this.typed.search === undefined) this.search.value = state.search;
  }

  drawFilter(column, node) {
    const chosen = this.state.filters[column.name];
    node.classList.toggle("sdrs-on", Boolean(chosen));
    const button = node.querySelector(".sdrs-choose");
    if (button !== null) {
      const values = chosen?.kind === "choices" ? chosen.values.map((value) => value || this.texts.empty) : chosen ? [chosen.text] : [];
      button.textContent = chosen ? values.join(", ") || "–" : this.texts.any;
      return;
    }
    const input = node.querySelector("input");
    input.setAttribute("aria-invalid", column.name in this.problems ? "true" : "false");
    input.title = this.problems[column.name] ?? this.texts[`range_${column.kind}_title`] ?? "";
    if (document.activeElement === input || column.name in this.typed.filters || column.name in this.problems) return;
    input.value = chosen?.kind === "choices" ? chosen.values.join(", ") : chosen?.text ?? "";
    const regex = node.querySelector(".sdrs-regex");
    if (regex !== null && chosen) regex.setAttribute("aria-pressed", chosen.kind === "regex" ? "true" : "false");
  }

  drawRows() {
    if (!this.scroll.clientHeight) return; // hidden just now, as JupyterLab does with cells out of sight
    const [first, last] = this.onScreen();
    const low = Math.max(0, first - 4);
    const high = Math.min(this.state.shown, last + 4);
    for (const [index, node] of this.drawn) {
      if (index < low || index >= high) {
        node.remove();
        this.drawn.delete(index);
      }
    }
    let before = null;
    for (let index = low; index < high; index += 1) {
      const node = this.drawRow(index);
      // In the order of the rows, for screen readers read the page in its order.
      const next = before === null ? this.body.firstChild : before.nextSibling;
      if (node !== next) this.body.insertBefore(node, next);
      before = node;
    }
    this.drawActive();
  }

  drawRow(index) {
    let node = this.drawn.get(index);
    if (node === undefined) {
      node = make("div", { role: "row", class: "sdrs-row sdrs-line", "aria-rowindex": index + 3 });
      node.style.transform = `translateY(${index * ROW}px)`;
      node.dataset.row = index;
      const tick = this.cell("gridcell", index, 0, make("span", { class: "sdrs-check" }));
      tick.setAttribute("aria-label", this.texts.select_row);
      node.append(tick, ...this.visible.map((_column, at) => this.cell("gridcell", index, at + 1)));
      this.drawn.set(index, node);
    }
    const row = this.rows.get(index);
    node.classList.toggle("sdrs-coming", row === undefined);
    if (row === undefined) return node;
    node.setAttribute("aria-selected", row[1] ? "true" : "false");
    if (node.shownRow !== row[2]) {
      row[2].forEach((cell, at) => fill(node.children[at + 1], cell));
      node.shownRow = row[2];
    }
    node.classList.toggle("sdrs-open", !this.detail.hidden && this.openId === row[0]);
    return node;
  }

  drawActive() {
    for (const node of this.root.querySelectorAll(".sdrs-active")) node.classList.remove("sdrs-active");
    const node = this.activeCell();
    if (node === null) return this.scroll.removeAttribute("aria-activedescendant");
    node.classList.add("sdrs-active");
    this.scroll.setAttribute("aria-activedescendant", node.id);
  }

  activeCell() {
    const { row, col } = this.active;
    const line = row === HEAD ? this.titles : row === FILTER ? this.filters : this.drawn.get(row);
    return line?.children[col] ?? null;
  }

  showNote(text, kind = "") {
    this.noteKind = kind;
    this.noteNode.textContent = text;
    this.noteNode.dataset.kind = kind;
    clearTimeout(this.noteTimer);
    if (kind === "done") this.noteTimer = setTimeout(() => this.showNote(""), 4000);
  }

  // ---- listening

  listen() {
    this.onMessage = (message) => this.hear(message);
    this.model.on("msg:custom", this.onMessage);
    this.scroll.addEventListener("scroll", () => {
      if (this.scroll.clientHeight) this.top = this.scroll.scrollTop;
      this.drawSoon();
    }, { passive: true });
    this.scroll.addEventListener("keydown", (event) => this.press(event));
    this.scroll.addEventListener("mousedown", (event) => this.touch(event));
    this.scroll.addEventListener("click", (event) => this.click(event));
    this.scroll.addEventListener("dblclick", (event) => this.open(event.target.closest(".sdrs-line")?.dataset.row));
    this.scroll.addEventListener("focus", () => this.drawActive());
    this.root.addEventListener("keydown", (event) => this.escape(event));
    this.popup.addEventListener("focusout", (event) => {
      if (event.relatedTarget !== null && !this.popup.contains(event.relatedTarget)) this.closePopup();
    });
    this.onOutside = (event) => {
      if (!this.popup.hidden && !event.composedPath().includes(this.popup)) this.closePopup();
    };
    document.addEventListener("pointerdown", this.onOutside, true);
    // JupyterLab hears keys before we do (it listens on the document, capturing): "d d" would delete the cell.  It
    // passes over keys whose target has this attribute (on a parent it is too late); its own, as Ctrl+S, stay its own.
    this.onKey = (event) => {
      const path = event.composedPath();
      if (path.includes(this.root)) path[0].toggleAttribute("data-lm-suppress-shortcuts", !this.isForLab(event));
    };
    window.addEventListener("keydown", this.onKey, true);
    this.watcher = new ResizeObserver(() => {
      // Being hidden put the rows back to the top.
      if (this.scroll.clientHeight && this.top) this.scroll.scrollTop = this.top;
      this.drawSoon();
    });
    this.watcher.observe(this.scroll);
    this.main.addEventListener("pointerdown", (event) => {
      if (event.target === this.main) this.pulled = true;
    });
  }

  dispose() {
    this.model.off("msg:custom", this.onMessage);
    window.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("pointerdown", this.onOutside, true);
    this.watcher.disconnect();
    for (const timer of [this.patience, this.typing, this.toggling, this.noteTimer]) clearTimeout(timer);
    this.root.remove();
  }

  isForLab(event) {
    if (event.key === "Escape") return this.popup.hidden && this.detail.hidden && event.target === this.scroll;
    if (!(event.ctrlKey || event.metaKey)) return false;
    return !["a", "c", "v", "x", "y", "z", "home", "end", "enter", "backspace", "delete", "arrowup", "arrowdown", "arrowleft", "arrowright"]
      .includes(event.key.toLowerCase());
  }

  drawSoon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.state.version < 0) return;
      this.drawRows();
      if (!this.isCovered()) this.refresh();
    });
  }

  touch(event) {
    const at = event.target.closest(".sdrs-cell");
    if (at === null || event.target.closest("input, button")) return;
    const line = at.parentElement;
    const row = line === this.titles ? HEAD : line === this.filters ? FILTER : Number(line.dataset.row);
    // Keeps the cell's text from being selected while rows are; focus is then ours to give.
    event.preventDefault();
    this.scroll.focus({ preventScroll: true });
    const extendFrom = this.active;
    this.pressed = this.rows.get(row)?.[0];
    this.active = { row, col: Number(at.dataset.col) };
    if (row >= 0 && event.shiftKey) this.extend(extendFrom);
    this.drawActive();
  }

  click(event) {
    const at = event.target.closest(".sdrs-cell");
    if (at === null || event.target.closest("input, button")) return;
    if (at.parentElement === this.titles) return this.useTitle(Number(at.dataset.col), event.shiftKey);
    if (at.parentElement === this.filters) return this.editFilter();
    if (!event.shiftKey && (at.dataset.col === "0" || event.ctrlKey || event.metaKey)) this.toggle(Number(at.parentElement.dataset.row), this.pressed);
  }

  press(event) {
    if (event.target !== this.scroll) return this.pressInFilter(event);
    const control = event.ctrlKey || event.metaKey;
    const { row } = this.active;
    const lines = Math.max(1, Math.floor((this.scroll.clientHeight - this.head.offsetHeight) / ROW) - 1);
    const last = this.state.shown - 1;
    const moves = {
      ArrowUp: [row - 1, 0], ArrowDown: [row + 1, 0], ArrowLeft: [row, -1], ArrowRight: [row, 1],
      PageUp: [row > 0 ? Math.max(0, row - lines) : row, 0], PageDown: [Math.min(last, Math.max(row, 0) + lines), 0],
      Home: [control ? 0 : row, -Infinity], End: [control ? last : row, Infinity],
    };
    if (event.key in moves && !event.altKey) {
      if (event.shiftKey && row === HEAD && event.key.startsWith("Arrow")) this.widen(event.key === "ArrowRight" ? 16 : -16);
      else this.move(...moves[event.key], event.shiftKey);
    } else if (control && event.key.toLowerCase() === "a") this.change("select", { shown: true });
    else if (control && event.key.toLowerCase() === "c") this.copyCell();
    else if (control || event.altKey) return;
    else if (event.key === " ") this.useCell(event.shiftKey);
    else if (event.key === "Enter") this.enterCell(event.shiftKey);
    else if (event.key === "/") this.search.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  pressInFilter(event) {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      if (event.target.matches("button")) return;
      this.backToRows(event);
    } else if (event.key === "Escape") {
      this.scroll.focus();
      event.preventDefault();
      event.stopPropagation();
    }
  }

  backToRows(event) {
    this.sendTyped();
    if (this.state.shown) this.active.row = 0;
    this.scroll.focus();
    this.drawActive();
    event.preventDefault();
    event.stopPropagation();
  }

  escape(event) {
    if (event.key !== "Escape") return;
    if (!this.popup.hidden) this.closePopup(true);
    else if (!this.detail.hidden) this.closeDetail();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(row, step, extend = false) {
    const from = { ...this.active };
    this.active.row = Math.max(HEAD, Math.min(row, this.state.shown - 1));
    if (this.state.shown === 0) this.active.row = Math.min(row, FILTER) < HEAD ? HEAD : Math.min(row, FILTER);
    if (step) this.active.col = Math.max(0, Math.min(this.active.col + step, this.visible.length));
    this.reveal();
    if (extend && this.active.row >= 0 && from.row >= 0 && from.row !== this.active.row) this.extend(from);
    else if (!extend) this.anchor = null;
  }

  reveal() {
    const { row, col } = this.active;
    if (row >= 0) {
      const top = row * ROW;
      const room = this.scroll.clientHeight - this.head.offsetHeight - ROW;
      if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
      else if (top > this.scroll.scrollTop + room) this.scroll.scrollTop = top - room;
    }
    const title = this.titles.children[col];
    if (col > 1) {
      const fixed = this.titles.children[1];
      const stuck = getComputedStyle(fixed).position === "sticky" ? fixed.offsetWidth + 36 : 36;
      const left = title.offsetLeft;
      if (left - stuck < this.scroll.scrollLeft) this.scroll.scrollLeft = left - stuck;
      else if (left + title.offsetWidth > this.scroll.scrollLeft + this.scroll.clientWidth) {
        this.scroll.scrollLeft = left + title.offsetWidth - this.scroll.clientWidth;
      }
    } else this.scroll.scrollLeft = 0;
    this.drawRows();
    if (!this.isCovered()) this.refresh();
  }

  // ---- selecting

  // Rows may come between pressing and letting go: only the row that was pressed may change.
  toggle(index, pressed) {
    const row = this.rows.get(index);
    if (row === undefined || (pressed !== undefined && pressed !== row[0])) return;
    row[1] = !row[1];
    this.anchor = row[0];
    this.toggles.set(row[0], row[1]);
    this.drawRow(index);
    clearTimeout(this.toggling);
    this.toggling = setTimeout(() => this.sendToggles(), 40);
  }

  extend(from) {
    this.anchor ??= this.rows.get(from.row)?.[0] ?? null;
    const last = this.rows.get(this.active.row)?.[0];
    if (this.anchor !== null && last !== undefined) this.change("select", { span: { first: this.anchor, last, on: true } });
  }

  useCell(extend) {
    const { row, col } = this.active;
    if (row === HEAD) this.useTitle(col, extend);
    else if (row === FILTER) this.editFilter();
    else if (extend) this.extend(this.active);
    else this.toggle(row);
  }

  enterCell(extend) {
    const { row, col } = this.active;
    if (row >= 0) this.open(row);
    else if (row === HEAD) this.useTitle(col, extend);
    else this.editFilter();
  }

  useTitle(col, add) {
    if (col === 0) return this.change("select", { shown: this.checkAll.dataset.state !== "all" });
    const { name } = this.visible[col - 1];
    const now = this.state.sort.find(([sorted]) => sorted === name);
    const others = add ? this.state.sort.filter(([sorted]) => sorted !== name) : [];
    // Up, down, then the order in which the rows came.
    const next = now === undefined ? [[name, false]] : now[1] ? [] : [[name, true]];
    const sort = [...others, ...next];
    this.change("view", { sort });
    this.state.sort = sort; // a second key press, before the answer, goes on from here
    this.drawHead();
  }

  editFilter() {
    const node = this.filters.children[this.active.col]?.querySelector("input, button");
    if (!node) return;
    if (node.matches("button")) node.click();
    else {
      node.focus();
      node.select();
    }
  }

  // ---- column widths

  freeze() {
    this.visible.forEach((column, at) => {
      this.widths[column.name] = Math.round(this.titles.children[at + 1].offsetWidth);
    });
    this.frozen = true;
  }

  pull(event, at) {
    event.preventDefault();
    event.stopPropagation();
    this.freeze();
    const { name } = this.visible[at - 1];
    const before = this.widths[name];
    const from = event.clientX;
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (moved) => {
      this.widths[name] = Math.max(NARROWEST, before + Math.round(moved.clientX - from));
      this.applyWidths();
    };
    handle.onpointerup = () => {
      handle.onpointermove = null;
      handle.onpointerup = null;
      this.sendColumns();
    };
  }

  widen(pixels) {
    if (this.active.col === 0) return;
    this.freeze();
    const { name } = this.visible[this.active.col - 1];
    this.widths[name] = Math.max(NARROWEST, this.widths[name] + pixels);
    this.applyWidths();
    clearTimeout(this.typing);
    this.typing = setTimeout(() => { this.sendTyped(); this.sendColumns(); }, TYPING_MS);
  }

  sendColumns(names = this.visible.map((column) => column.name)) {
    this.change("columns", { visible: names, widths: this.frozen ? this.widths : {} });
  }

  // ---- popups: columns, choices

  showPopup(title, under, buttons, list, from) {
    this.popupFrom = from;
    this.popup.replaceChildren(
      make("div", { class: "sdrs-popup-head" }, make("b", {}, title), make("span", { class: "sdrs-gap" }), ...buttons),
      make("div", { class: "sdrs-popup-list" }, ...list),
    );
    this.popup.setAttribute("aria-label", title);
    this.popup.hidden = false;
    const place = under.getBoundingClientRect();
    const whole = this.root.getBoundingClientRect();
    const left = Math.max(0, Math.min(place.left - whole.left, whole.width - this.popup.offsetWidth - 4));
    const top = place.bottom - whole.top + 2;
    Object.assign(this.popup.style, { left: `${left}px`, top: `${top}px`, maxHeight: `${Math.max(150, whole.height - top - 8)}px` });
    this.popup.querySelector("input, button")?.focus();
  }

  closePopup(back = false) {
    this.popup.hidden = true;
    if (back || this.popup.contains(document.activeElement)) this.popupFrom.focus({ preventScroll: true });
  }

  tickLine(text, count, checked, onchange) {
    const box = make("input", { type: "checkbox", onchange });
    box.checked = checked;
    box.addEventListener("keydown", (event) => this.stepThrough(event));
    const line = make("label", { class: "sdrs-choice" }, box, make("span", { class: "sdrs-text", title: text }, text));
    if (count !== null) line.append(make("span", { class: "sdrs-many" }, String(count)));
    return line;
  }

  stepThrough(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    const boxes = [...this.popup.querySelectorAll("input")];
    boxes[(boxes.indexOf(event.target) + step + boxes.length) % boxes.length].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  askChoices(column) {
    this.sendTyped();
    this.ask("choices", { column: column.name });
  }

  openChoices({ column, choices, chosen }) {
    const at = this.visible.findIndex((one) => one.name === column);
    if (at < 0) return;
    const on = new Set(chosen ?? choices.map(([value]) => value));
    const send = () => {
      const every = choices.every(([value]) => on.has(value));
      this.typed.filters[column] = every ? null : { kind: "choices", values: choices.map(([value]) => value).filter((value) => on.has(value)) };
      this.sendTyped();
    };
    const lines = choices.map(([value, text, count]) => this.tickLine(text || this.texts.empty, count, on.has(value), (event) => {
      if (event.target.checked) on.add(value);
      else on.delete(value);
      send();
    }));
    const every = (yes) => () => {
      on.clear();
      if (yes) choices.forEach(([value]) => on.add(value));
      for (const box of this.popup.querySelectorAll("input")) box.checked = yes;
      send();
    };
    const buttons = [this.small(this.texts.choose_all, every(true)), this.small(this.texts.choose_none, every(false)), this.closer(() => this.closePopup(true))];
    this.showPopup(this.visible[at].title, this.filters.children[at + 1], buttons, lines, this.scroll);
    this.popup.querySelector(".sdrs-popup-list input")?.focus();
  }

  openColumns() {
    const shown = new Set(this.visible.map((column) => column.name));
    const send = () => this.sendColumns(this.columns.map((column) => column.name).filter((name) => shown.has(name)));
    const lines = this.columns.map((column) => this.tickLine(column.title, null, shown.has(column.name), (event) => {
      if (event.target.checked) shown.add(column.name);
      else if (shown.size > 1) shown.delete(column.name);
      else event.target.checked = true; // a grid without columns tells nothing
      send();
    }));
    const all = this.small(this.texts.all_columns, () => {
      this.columns.forEach((column) => shown.add(column.name));
      for (const box of this.popup.querySelectorAll("input")) box.checked = true;
      send();
    });
    this.showPopup(this.texts.columns, this.columnsButton, [all, this.closer(() => this.closePopup(true))], lines, this.columnsButton);
    this.popup.querySelector(".sdrs-popup-list input")?.focus();
  }

  small(text, onclick) {
    return make("button", { type: "button", class: "sdrs-button sdrs-small", onclick }, text);
  }

  closer(onclick) {
    return make("button", { type: "button", class: "sdrs-close", "aria-label": this.texts.close, title: this.texts.close, onclick }, "×");
  }

  // ---- one row

  open(index) {
    const row = this.rows.get(Number(index));
    if (row !== undefined) this.ask("detail", { id: row[0] });
  }

  openDetail({ id, fields }) {
    if (!this.hasDetail || !fields.length) return;
    const list = make("dl");
    const first = this.visible[0]?.title;
    fields.sort((one, other) => Number(other[0] === first) - Number(one[0] === first));
    for (const [title, text, tone] of fields) {
      const value = make("dd");
      if (tone) value.append(shape(tone), " ");
      value.append(text || "–");
      list.append(make("div", {}, make("dt", {}, title), value));
    }
    const close = this.closer(() => this.closeDetail());
    this.detail.replaceChildren(make("div", { class: "sdrs-popup-head" }, make("b", { class: "sdrs-text" }, fields[0][1] || id), make("span", { class: "sdrs-gap" }), close), list);
    this.detail.setAttribute("aria-label", this.texts.detail);
    list.tabIndex = 0; // it scrolls, so a keyboard must reach it
    this.openId = id;
    this.detail.hidden = false;
    this.drawRows();
    close.focus({ preventScroll: true });
  }

  closeDetail() {
    this.detail.hidden = true;
    this.openId = null;
    this.drawRows();
    this.scroll.focus({ preventScroll: true });
  }

  // ---- out of the grid

  copyCell() {
    const { row, col } = this.active;
    const cell = this.rows.get(row)?.[2][col - 1] ?? this.rows.get(row)?.[0];
    if (cell !== undefined) this.copy(Array.isArray(cell) ? cell[0] : cell, this.texts.copied_cell);
  }

  async copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
      this.showNote(done, "done");
    } catch {
      this.showNote(this.texts.copy_refused, "bad-copy");
    }
  }

  save({ name, text }) {
    const link = make("a", { download: name });
    // The byte order mark tells Excel that this is UTF-8.
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

export default {
  render({ model, el }) {
    const grid = new Grid(model, el);
    return () => grid.dispose();
  },
};
