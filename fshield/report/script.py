"""The page's only script: it sorts and filters tables. Without it, all is there in the order in
which it was written.

A constant, so that the content security policy can name it by its hash. It reads what is on the
page and writes nothing but order, `hidden` and its own controls.
"""

SCRIPT = """
"use strict";
const value = (row, at) => {
  const cell = row.cells[at];
  return cell.dataset.n === undefined ? cell.textContent.trim() : Number(cell.dataset.n);
};
const compare = (one, other) => typeof one === "number" && typeof other === "number"
  ? one - other : String(one).localeCompare(String(other), undefined, {numeric: true});
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      // Of numbers, the largest are wanted first.
      const back = was ? was === "ascending" : typeof value(body.rows[0], at) === "number";
      for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", back ? "descending" : "ascending");
      const rows = [...body.rows].map(row => [value(row, at), row]);
      rows.sort((one, other) => compare(one[0], other[0]) * (back ? -1 : 1));
      body.append(...rows.map(pair => pair[1]));
    });
  });
}
for (const section of document.querySelectorAll("section.filter")) {
  const label = document.createElement("label");
  const field = document.createElement("input");
  const said = document.createElement("span");
  const items = [...section.querySelectorAll(":scope > .wide > table > tbody > tr")];
  const blocks = [...section.querySelectorAll(":scope > details")];
  label.className = "tool";
  field.type = "search";
  said.setAttribute("role", "status");
  label.append("Show only what contains ", field, " ", said);
  section.querySelector("h2").after(label);
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase();
    const match = item => item.textContent.toLowerCase().includes(words);
    for (const item of [...items, ...blocks]) item.hidden = !match(item);
    const of = items.length ? items : blocks;
    said.textContent = words ? `${of.filter(item => !item.hidden).length} of ${of.length}` : "";
  });
}
"""
