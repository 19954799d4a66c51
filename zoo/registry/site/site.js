// What the pages do beyond being read: search, filters, sorting and copying. Rows are those of the
// HTML, so that without this script all of them stand there. Nothing is fetched, and no text of a
// model ever becomes HTML.
"use strict";

(function () {
  const PAGE = 50;
  const root = document.documentElement;
  root.classList.add("scripted");

  function make(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  // The list

  function list() {
    const table = document.getElementById("models");
    if (!table) return;
    const by = (id) => document.getElementById(id);
    const search = by("search"), sort = by("sort"), filters = [...document.querySelectorAll("[data-filter]")];
    const columns = [...table.tHead.rows[0].cells].map(column);
    const rows = [...table.tBodies[0].rows].map((row) => ({
      row,
      text: row.textContent.toLowerCase(),
      keys: columns.map((one) => one.read(row.cells[one.at])),
    }));
    let shown = rows, start = 0, key = "name", flipped = false;

    function column(head, at) {
      const metric = "better" in head.dataset, date = head.dataset.key === "created";
      return {
        head, at, metric, date,
        key: head.dataset.key,
        label: head.textContent,
        // Best, newest or first in the alphabet comes first.
        falling: date || head.dataset.better === "high",
        visible: !("extra" in head.dataset),
        read(cell) {
          if (metric) return cell.firstElementChild ? Number(cell.firstElementChild.value) : null;
          if (date) return cell.firstElementChild.dateTime;
          return (at === 0 ? cell.firstElementChild : cell).textContent;
        },
      };
    }

    function compare(a, b, falling) {
      const missing = (one) => one === null || one === "";
      if (missing(a) || missing(b)) return missing(a) - missing(b);
      const order = typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0;
      return falling ? -order : order;
    }

    function arrange() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = filters.filter((one) => one.value !== "");
      const column = columns.find((one) => one.key === key) || columns[0];
      const falling = column.falling !== flipped;
      shown = rows.filter(({ text, keys }) =>
        words.every((word) => text.includes(word)) &&
        wanted.every((one) => keys[columns.find((c) => c.key === one.dataset.filter).at] === one.value));
      shown.sort((a, b) =>
        compare(a.keys[column.at], b.keys[column.at], falling) || compare(a.keys[0], b.keys[0], false));
      column.visible = true;
      start = 0;
      show();
      remember();
    }

    function show() {
      const page = shown.slice(start, start + PAGE);
      for (const column of columns) {
        column.head.hidden = !column.visible;
        if (column.box) column.box.checked = column.visible;
        if (column.key === key) column.head.setAttribute("aria-sort", column.falling !== flipped ? "descending" : "ascending");
        else column.head.removeAttribute("aria-sort");
        for (const { row } of page) row.cells[column.at].hidden = !column.visible;
      }
      table.tBodies[0].replaceChildren(...page.map(({ row }) => row));
      table.classList.add("ready");
      const some = page.length < shown.length ? `${start + 1}–${start + page.length} of ` : "";
      const all = shown.length < rows.length ? ` (of ${rows.length.toLocaleString("en")})` : "";
      by("count").textContent = `${some}${shown.length.toLocaleString("en")} model${shown.length === 1 ? "" : "s"}${all}`;
      by("none").hidden = shown.length > 0;
      by("list").hidden = shown.length === 0;
      document.querySelector(".pager").hidden = shown.length <= PAGE;
      by("previous").disabled = start === 0;
      by("next").disabled = start + PAGE >= shown.length;
      sort.value = key;
    }

    // What was chosen stands in the address, so that going back from a model finds it again.
    function remember() {
      const said = new URLSearchParams();
      if (search.value) said.set("q", search.value);
      for (const one of filters) if (one.value) said.set(one.dataset.filter, one.value);
      if (key !== "name" || flipped) said.set("sort", (flipped ? "-" : "") + key);
      const text = said.toString();
      try {
        history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
      } catch (error) { /* some browsers allow no history for a file on the disk */ }
    }

    function recall() {
      const said = new URLSearchParams(location.hash.slice(1));
      search.value = said.get("q") || "";
      for (const one of filters) {
        const value = said.get(one.dataset.filter) || "";
        one.value = [...one.options].some((option) => option.value === value) ? value : "";
      }
      const wanted = said.get("sort") || "name", plain = wanted.replace(/^-/, "");
      const known = columns.some((one) => one.key === plain);
      key = known ? plain : "name";
      flipped = known && wanted !== plain;
    }

    function sortBy(chosen) {
      flipped = chosen === key && !flipped;
      key = chosen;
      arrange();
    }

    function turn(step) {
      start += step * PAGE;
      show();
      table.scrollIntoView({ block: "nearest" });
    }

    for (const one of filters) {
      const at = columns.find((column) => column.key === one.dataset.filter).at;
      const counts = new Map();
      for (const { keys } of rows) counts.set(keys[at], (counts.get(keys[at]) || 0) + 1);
      for (const value of [...counts.keys()].sort()) {
        const option = make("option", `${value} (${counts.get(value)})`);
        option.value = value;
        one.append(option);
      }
      one.addEventListener("change", arrange);
    }
    for (const column of columns) {
      const option = make("option", column.date ? "Newest first" : column.metric ? `${column.label}, best first` : column.label);
      option.value = column.key;
      sort.append(option);
      const button = make("button", column.label);
      button.type = "button";
      button.addEventListener("click", () => sortBy(column.key));
      column.head.replaceChildren(button);
      if (!column.metric) continue;
      const label = make("label", ` ${column.label}`), box = document.createElement("input");
      box.type = "checkbox";
      box.addEventListener("change", () => { column.visible = box.checked; show(); });
      label.prepend(box);
      column.box = box;
      by("columns").querySelector("fieldset").append(label);
    }
    by("columns").hidden = !columns.some((one) => one.metric);
    search.addEventListener("input", arrange);
    sort.addEventListener("change", () => { key = sort.value; flipped = false; arrange(); });
    by("previous").addEventListener("click", () => turn(-1));
    by("next").addEventListener("click", () => turn(1));
    by("clear").addEventListener("click", () => {
      search.value = "";
      for (const one of filters) one.value = "";
      key = "name";
      flipped = false;
      arrange();
      search.focus();
    });
    document.addEventListener("click", (event) => {
      if (!by("columns").contains(event.target)) by("columns").open = false;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") by("columns").open = false;
    });
    window.addEventListener("hashchange", () => { recall(); arrange(); });
    by("controls").hidden = false;
    recall();
    arrange();
  }

  // A model: a button that copies, beside each command

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) { /* not over plain http: there the old way is left */ }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  function commands() {
    for (const box of document.querySelectorAll(".command")) {
      const name = box.querySelector("h3").textContent, button = make("button", "Copy");
      button.type = "button";
      button.setAttribute("aria-label", `Copy: ${name}`);
      const said = make("span", "");
      said.className = "unseen";
      said.setAttribute("role", "status");
      button.addEventListener("click", async () => {
        const done = await copy(box.querySelector("code").textContent);
        button.textContent = done ? "Copied" : "Not copied";
        said.textContent = button.textContent;
        button.focus();
        setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
      });
      box.querySelector("h3").after(button, said);
    }
  }

  function start() {
    list();
    commands();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
