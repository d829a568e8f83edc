// Folds long tables, makes tables searchable and sortable, and copies them as CSV; shows the values
// of plots. Without it every row is shown, and a browser shows the values at the pointer by itself.
"use strict";
(() => {
  const SHOWN = 10; // rows of a folded table; as in page.css
  const MORE = 1000; // rows that unfold at once: more would keep the page from reacting

  const NATURAL = new Intl.Collator("en", { numeric: true });

  const status = document.createElement("p");
  status.className = "status";
  status.setAttribute("role", "status");
  document.body.append(status);

  for (const box of document.querySelectorAll(".table")) setUp(box);
  for (const box of document.querySelectorAll(".facts")) {
    makeCopyable(box, () => facts(box.querySelector("dl")));
  }
  showValues([...document.querySelectorAll("svg.plot, svg.bar")]);

  function setUp(box) {
    const table = box.querySelector("table");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    let show = () => body.append(...rows);
    makeCopyable(box, () => csv(table, rows));
    if (rows.length > 1) {
      makeSortable(table, rows, () => show());
    }
    if (!box.classList.contains("long")) return keepRoles(table, rows);

    const noun = box.dataset.rowsAre;
    const tools = box.querySelector(".tools");
    const search = tools.querySelector("input");
    const count = tools.querySelector("output");
    const fold = box.querySelector(".fold");
    const printed = box.querySelector(".printed");
    const text = new Map(); // filled by the first search
    let most = SHOWN;
    tools.hidden = false;
    search.addEventListener("input", () => show());
    fold.addEventListener("click", () => {
      most = most < hits.length ? most + MORE : SHOWN;
      show();
    });
    let hits = rows;
    show = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (words.length && !text.size) {
        for (const row of rows) text.set(row, row.textContent.toLowerCase());
      }
      hits = rows.filter((row) => words.every((word) => text.get(row).includes(word)));
      const visible = hits.slice(0, most);
      keepRoles(table, visible);
      body.replaceChildren(...visible);
      const left = hits.length - visible.length;
      count.value = words.length
        ? `${hits.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${noun}`
        : "";
      fold.hidden = hits.length <= SHOWN;
      fold.setAttribute("aria-expanded", String(most > SHOWN));
      // On paper, where neither the search box nor the button is.
      const found = words.length ? `, searched for “${words.join(" ")}”` : "";
      printed.hidden = visible.length === rows.length;
      printed.textContent =
        `${visible.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${noun}${found}; the file has all.`;
      const all = hits.length.toLocaleString("en");
      fold.textContent =
        left === 0
          ? `Show only ${SHOWN} ${noun}`
          : left > MORE
            ? `Show ${MORE.toLocaleString("en")} more of ${all} ${noun}`
            : `Show all ${all} ${noun}`;
    };
    show();
    box.classList.add("ready");
  }

  function makeSortable(table, rows, show) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.title = `Sort by ${heading.textContent}`;
      heading.replaceChildren(button);
      const numeric = heading.classList.contains("n");
      button.addEventListener("click", () => {
        // Numbers begin with the largest, which are the ones to look at.
        const now = heading.getAttribute("aria-sort");
        const down = now ? now === "ascending" : numeric;
        for (const other of headings) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        // Read once, not once for each comparison.
        const texts = new Map(rows.map((row) => [row, row.cells[column].textContent]));
        const compare = numeric
          ? byNumber(new Map(rows.map((row) => [row, numberOf(texts.get(row))])), sign)
          : (a, b) => sign * NATURAL.compare(texts.get(a), texts.get(b));
        rows.sort(compare);
        show();
      });
    });
  }

  // Such as `1,234` and `<0.01%`.
  const numberOf = (text) => parseFloat(text.replace(/[,<]/g, ""));

  function byNumber(numbers, sign) {
    return (left, right) => {
      const a = numbers.get(left);
      const b = numbers.get(right);
      // Unknown values come last in either direction.
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return sign * (a - b);
    };
  }

  // Where the style sheet displays a table as blocks, some browsers no longer expose it as a table.
  function keepRoles(table, rows) {
    const headings = [...table.tHead.rows];
    table.setAttribute("role", "table");
    for (const group of table.querySelectorAll("thead, tbody, tfoot")) group.setAttribute("role", "rowgroup");
    for (const row of [...headings, ...(table.tFoot?.rows ?? []), ...rows]) {
      if (row.hasAttribute("role")) continue; // it was shown before
      row.setAttribute("role", "row");
      const heading = headings.includes(row) ? "columnheader" : "rowheader";
      for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TH" ? heading : "cell");
    }
  }

  function makeCopyable(box, text) {
    const button = box.querySelector(".copy");
    const title = box.querySelector("h3").textContent;
    const label = button.textContent;
    let reset;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const copied = await copy(text());
      const outcome = copied ? "Copied" : "Not copied: the browser does not allow it";
      button.textContent = outcome;
      // The button's label stays, so a screen reader would not notice.
      status.textContent = `${title}: ${outcome}`;
      clearTimeout(reset);
      reset = setTimeout(() => {
        button.textContent = label;
        status.textContent = "";
      }, 4000);
    });
  }

  // Lines to paste into a ticket.
  function facts(list) {
    const names = [...list.querySelectorAll("dt")].map((name) => name.textContent);
    const texts = [...list.querySelectorAll("dd")].map((text) => text.textContent);
    return names.map((name, number) => `${name}: ${texts[number]}\n`).join("");
  }

  // Every row, also those that are folded away or not found, in the order that is shown.
  function csv(table, rows) {
    const columns = [...table.tHead.rows[0].cells].map((heading) => ({
      label: heading.textContent,
      sub: heading.dataset.sub,
      numeric: heading.classList.contains("n"),
    }));
    const lines = [columns.flatMap(({ label, sub }) => (sub ? [label, sub] : [label]))];
    for (const row of [...rows, ...(table.tFoot?.rows ?? [])]) {
      lines.push(
        [...row.cells].flatMap((cell, number) => {
          const { sub, numeric } = columns[number];
          const second = cell.querySelector(".sub")?.textContent ?? "";
          const first = cell.textContent.slice(0, cell.textContent.length - second.length);
          const value = numeric ? first.replaceAll(",", "") : first;
          const known = value === "-" ? "" : value;
          return sub ? [known, second] : [known];
        }),
      );
    }
    return lines.map((line) => line.map(csvField).join(",") + "\r\n").join("");
  }

  // A spreadsheet runs a text that begins like a formula, and names in a report are others' text.
  function csvField(text) {
    const safe = /^[=+@\t\r-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not every browser lets a file use the clipboard in that way.
      const focused = document.activeElement;
      const area = document.createElement("textarea");
      area.className = "status";
      area.value = text;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      focused?.focus({ preventScroll: true });
      return copied;
    }
  }

  // One box for all plots. Each plot is one stop of the Tab key; arrow keys go through its values.
  function showValues(plots) {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true"); // the values have their labels
    document.body.append(tip);
    const hide = () => (tip.hidden = true);
    const show = (mark) => {
      if (!mark) return hide();
      tip.textContent = mark.getAttribute("aria-label").replace(": ", ":\n").replaceAll("; ", "\n");
      tip.hidden = false;
      const at = mark.getBoundingClientRect();
      const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
      const left = Math.max(8, Math.min(at.left + at.width / 2 - tip.offsetWidth / 2, room));
      const above = at.top - tip.offsetHeight - 6;
      tip.style.left = `${left + window.scrollX}px`;
      tip.style.top = `${(above < 0 ? at.bottom + 6 : above) + window.scrollY}px`;
    };
    for (const plot of plots) {
      const marks = [...plot.querySelectorAll(".mark")];
      if (!marks.length) continue;
      plot.setAttribute("role", "group");
      marks.forEach((mark, number) => {
        const title = mark.querySelector("title");
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", title.textContent);
        mark.setAttribute("tabindex", number ? "-1" : "0");
        title.remove(); // or the browser would show it a second time
      });
    }
    // Not on the plots: an SVG element that listens is a stop of the Tab key in Chromium.
    const markOf = (event) => (event.target instanceof Element ? event.target.closest(".mark") : null);
    document.addEventListener("pointerover", (event) => show(markOf(event)));
    document.addEventListener("focusin", (event) => show(markOf(event)));
    document.addEventListener("focusout", hide);
    document.addEventListener("keydown", (event) => {
      // With one of these, a key is the browser's: Alt and an arrow go back a page.
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (event.key === "Escape") return hide();
      const mark = markOf(event);
      if (!mark) return;
      const marks = [...mark.closest("svg").querySelectorAll(".mark")];
      const now = marks.indexOf(mark);
      const next = {
        ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1,
        Home: 0, End: marks.length - 1,
      }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const target = marks[Math.max(0, Math.min(next, marks.length - 1))];
      mark.setAttribute("tabindex", "-1");
      target.setAttribute("tabindex", "0");
      target.focus();
    });
  }
})();
