// Search, filters and keys of the index; on the other pages only `/`, which leads to it.
// The pages are complete without this file.
"use strict";

const form = document.getElementById("finder");
const query = document.getElementById("q");
const filters = form ? [...form.querySelectorAll("select")] : [];
const items = form ? [...document.querySelectorAll("#flows > .flow")] : [];
const texts = new Map(items.map((item) => [item, item.querySelector(".words").textContent.toLowerCase()]));

// Where a flow runs: a project, an environment and a server, in the order of the filters.
const places = new Map(items.map((item) => [item, item.dataset.places.split(" ").map((place) => place.split("/"))]));

function fits(item, words) {
  const isThere = (place) => filters.every(({ value }, number) => !value || value === place[number]);
  return places.get(item).some(isThere) && words.every((word) => texts.get(item).includes(word));
}

function show() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const item of items) {
    item.hidden = !fits(item, words);
    found += !item.hidden;
  }
  document.getElementById("none").hidden = found > 0;
  document.getElementById("count").textContent = found === items.length ? `${found}` : `${found} of ${items.length}`;
}

// What is looked for stands in the address, so that a page can link to it and the way back finds it again.
function remember() {
  const wanted = new URLSearchParams();
  for (const field of [query, ...filters]) {
    if (field.value) wanted.set(field.dataset.filter || "q", field.value);
  }
  history.replaceState(null, "", `#${wanted}`);
}

function recall() {
  const address = location.hash.slice(1);
  if (address && !address.includes("=")) return; // it names a heading
  const wanted = new URLSearchParams(address);
  for (const field of [query, ...filters]) field.value = wanted.get(field.dataset.filter || "q") || "";
  show();
}

function changed() {
  show();
  remember();
}

function startOver() {
  for (const field of [query, ...filters]) field.value = "";
  changed();
  query.focus();
}

function links() {
  return items.filter((item) => !item.hidden).map((item) => item.querySelector("a"));
}

// From the search field down into the list, through it, and back up into the field.
function move(event, by) {
  const found = links();
  const place = found.indexOf(document.activeElement);
  if (place < 0 && (document.activeElement !== query || by < 0)) return;
  event.preventDefault();
  (found[place + by] || (by < 0 ? query : found[found.length - 1]))?.focus();
}

function isTyping(target) {
  return target.matches("input, textarea, select") || target.isContentEditable;
}

function slash(event) {
  if (isTyping(event.target)) return;
  event.preventDefault();
  if (form) {
    query.focus();
    query.select();
  } else {
    location.href = `${document.body.dataset.index}#q=`;
  }
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") slash(event);
  if (!form) return;
  if (event.key === "ArrowDown") move(event, 1);
  if (event.key === "ArrowUp") move(event, -1);
  if (event.key === "Escape") startOver();
}

// What is too wide for the window can be scrolled by keys as well.
function reach() {
  for (const box of document.querySelectorAll(".wide")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

document.addEventListener("keydown", pressed);
window.addEventListener("resize", reach);
reach();
if (form) {
  form.hidden = false;
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    links()[0]?.click();
  });
  document.getElementById("clear").addEventListener("click", startOver);
  window.addEventListener("hashchange", recall);
  recall();
  if (location.hash === "#q=") query.focus();
}
