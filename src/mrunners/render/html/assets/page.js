// Folds long tables, and lets them be searched and sorted. Without it every row is shown.
"use strict";
(() => {
  const FOLDED_FROM = 15; // rows; below that a table is read faster than it is unfolded
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

    const things = box.dataset.rowsAre;
    const tools = box.querySelector(".tools");
    const search = tools.querySelector("input");
    const found = tools.querySelector("output");
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
      found.value = words.length
        ? `${hits.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${things}`
        : "";
      fold.hidden = hits.length <= SHOWN;
      fold.setAttribute("aria-expanded", String(open));
      fold.textContent = open
        ? `Show only ${SHOWN} ${things}`
        : `Show all ${hits.length.toLocaleString("en")} ${things}`;
    };
    show();
  }

  function makeSortable(table, sorted) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.title = `Sort by ${heading.textContent}`;
      heading.replaceChildren(button);
      const numeric = heading.classList.contains("n");
      button.addEventListener("click", () => {
        // Figures begin with the largest, for that is where trouble is.
        const now = heading.getAttribute("aria-sort");
        const down = now ? now === "ascending" : numeric;
        for (const other of headings) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        sorted((a, b) => {
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
    // What is not known stands last, whichever way.
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a - b);
  }

  // Where the style sheet lays a table out as blocks, some browsers no longer tell that it is one.
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
