// What a page of the site does in the browser: colors, menu, contents, copying, search. One classic script, so that it works from disk.
const root = document.documentElement.dataset.root;
const find = (selector) => document.querySelector(selector);
const make = (name, properties = {}) => Object.assign(document.createElement(name), properties);

find(".bar-colors")?.addEventListener("click", () => {
  const dark = document.documentElement.classList.toggle("dark");
  localStorage.setItem("vitepress-theme-appearance", dark ? "dark" : "light");
});

// The menu of narrow screens.
const sidebar = find(".VPSidebar");
const backdrop = make("div", { className: "VPBackdrop", hidden: true });
backdrop.style.cssText =
  "position:fixed;inset:0;background:var(--vp-backdrop-bg-color);z-index:var(--vp-z-index-backdrop)";
document.body.append(backdrop);
const hamburger = find(".VPNavBarHamburger");
function showMenu(open) {
  sidebar?.classList.toggle("open", open);
  hamburger?.setAttribute("aria-expanded", String(open));
  backdrop.hidden = !open;
}
hamburger?.addEventListener("click", () => showMenu(!sidebar.classList.contains("open")));
backdrop.addEventListener("click", () => showMenu(false));
find(".VPSidebarItem.is-active .is-link.is-active, .VPSidebarItem.is-link.is-active")?.scrollIntoView({
  block: "center",
});

// The contents of the page, beside it.
const contents = find(".contents");
for (const heading of document.querySelectorAll(".vp-doc h2[id], .vp-doc h3[id]")) {
  const copy = heading.cloneNode(true);
  for (const anchor of copy.querySelectorAll(".header-anchor")) anchor.remove();
  const link = make("a", { href: `#${heading.id}`, textContent: copy.textContent.trim() });
  if (heading.tagName === "H3") link.className = "inner";
  contents?.append(link);
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("button.copy");
  if (!button) return;
  await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 2000);
});

// What computes in the page.
if (find(".play")) loadScript("play.js");

// The search.
let search;
async function openSearch() {
  search ??= await loadSearch();
  search.dialog.showModal();
  search.input.select();
}

function loadScript(name) {
  return new Promise((resolve, reject) => {
    document.head.append(make("script", { src: root + name, onload: resolve, onerror: reject }));
  });
}

async function loadSearch() {
  await Promise.all([loadScript("minisearch.js"), loadScript("search.js")]);
  const index = new MiniSearch({
    fields: ["title", "page", "text"],
    storeFields: ["title", "page", "text"],
    searchOptions: { prefix: true, fuzzy: 0.15, combineWith: "AND", boost: { title: 4, page: 2 } },
  });
  index.addAll(window.searchDocuments);
  const dialog = make("dialog", { className: "find" });
  const input = make("input", { type: "search", placeholder: "Search", ariaLabel: "Search" });
  const list = make("ol");
  dialog.append(input, list);
  document.body.append(dialog);
  const links = () => [...list.querySelectorAll("a")];
  const select = (link) => {
    for (const each of links()) each.setAttribute("aria-selected", String(each === link));
    link?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => {
    const found = index.search(input.value).slice(0, 20);
    list.replaceChildren(...found.map(hit));
    select(links()[0]);
  });
  input.addEventListener("keydown", (event) => {
    const all = links();
    const at = all.findIndex((link) => link.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") all[at]?.click();
    if (step === undefined || all.length === 0) return;
    event.preventDefault();
    select(all[(at + step + all.length) % all.length]);
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.closest?.("a")) dialog.close();
  });
  return { dialog, input };
}

function hit({ id, title, page, text, terms }) {
  const link = make("a", { href: root + id });
  const at = Math.max(0, text.toLowerCase().indexOf(terms[0]) - 40);
  link.append(make("b", { textContent: page === title ? title : `${page} › ${title}` }));
  link.append(make("small", { textContent: text.slice(at, at + 140) }));
  const item = make("li");
  item.append(link);
  return item;
}

find(".bar-search")?.addEventListener("click", openSearch);
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName);
  if ((event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
    event.preventDefault();
    openSearch();
  }
});
