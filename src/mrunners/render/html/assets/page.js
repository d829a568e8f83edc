// Folds long tables, and makes tables searchable and sortable. Without it every row is shown.
"use strict";
(() => {
  const FOLDED_FROM = 15; // rows; a shorter table is read faster than it is unfolded
  const SHOWN = 10;

  for (const box of document.querySelectorAll(".table")) setUp(box);

  function setUp(box) {
    const table = box.querySelector("table");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    let show = () => {};
    keepRoles(table);
    if (rows.length < 2) return;
    makeSortable(table, (compare) => {
      rows.sort(compare);
      body.append(...rows);
      show();
    });
    if (rows.length < FOLDED_FROM) return;

    const noun = box.dataset.rowsAre;
    const tools = box.querySelector(".tools");
    const search = tools.querySelector("input");
    const count = tools.querySelector("output");
    const fold = box.querySelector(".fold");
    const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    let open = false;
    tools.hidden = false;
    search.addEventListener("input", () => show());
    fold.addEventListener("click", () => {
      open = !open;
      show();
    });
    show = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = rows.filter((row) => words.every((word) => text.get(row).includes(word)));
      const most = open ? hits.length : SHOWN;
      const visible = new Set(hits.slice(0, most));
      for (const row of rows) row.hidden = !visible.has(row);
      count.value = words.length
        ? `${hits.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${noun}`
        : "";
      fold.hidden = hits.length <= SHOWN;
      fold.setAttribute("aria-expanded", String(open));
      fold.textContent = open
        ? `Show only ${SHOWN} ${noun}`
        : `Show all ${hits.length.toLocaleString("en")} ${noun}`;
    };
    show();
  }

  function makeSortable(table, sortRows) {
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
        sortRows((a, b) => {
          const left = a.cells[column].textContent;
          const right = b.cells[column].textContent;
          return numeric ? byNumber(left, right, sign) : sign * left.localeCompare(right, "en", { numeric: true });
        });
      });
    });
  }

  function byNumber(left, right, sign) {
    const a = parseFloat(left.replaceAll(",", ""));
    const b = parseFloat(right.replaceAll(",", ""));
    // Unknown values come last in either direction.
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a - b);
  }

  // Where the style sheet displays a table as blocks, some browsers no longer expose it as a table.
  function keepRoles(table) {
    const role = (selector, name) => {
      for (const element of table.querySelectorAll(selector)) element.setAttribute("role", name);
    };
    table.setAttribute("role", "table");
    role("thead, tbody", "rowgroup");
    role("tr", "row");
    role("td", "cell");
    role("thead th", "columnheader");
    role("tbody th", "rowheader");
  }
})();
