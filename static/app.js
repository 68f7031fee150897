// What htmx leaves to us: the stream's life, new rows that wait, the keyboard, relative times, copying.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The stream: closed while the tab is hidden, opened anew when it is shown; then everything is asked again.
  // A burst of one name counts once in 300 ms, and its last event is never lost.
  class Stream extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
      this.waiting = new Map();
      this.names = new Set();
      this.wait = 500;
      this.open();
      document.addEventListener("visibilitychange", () => (document.hidden ? this.shut() : this.resume()));
      addEventListener("pagehide", () => this.shut());
      addEventListener("pageshow", (event) => event.persisted && this.resume());
    }

    addEventListener(name, listener) {
      super.addEventListener(name, listener);
      if (this.names.has(name)) return;
      this.names.add(name);
      this.source?.addEventListener(name, () => this.hear(name));
    }

    open() {
      const source = (this.source = new EventSource(this.url));
      source.onopen = () => {
        this.wait = 500;
        root.dataset.live = "on";
        this.hear("all-changed"); // what happened before it was open was not heard
      };
      source.onerror = () => {
        root.dataset.live = "lost";
        if (source.readyState !== EventSource.CLOSED) return;
        this.wait = Math.min(this.wait * 2, 30000);
        this.timer = setTimeout(() => this.open(), this.wait);
      };
      this.names.forEach((name) => source.addEventListener(name, () => this.hear(name)));
    }

    resume() {
      if (!this.source) this.open();
    }

    shut() {
      clearTimeout(this.timer);
      this.source?.close();
      this.source = null;
    }

    close() {
      this.shut();
    }

    hear(name) {
      if (this.waiting.has(name)) return;
      const tell = () => {
        this.waiting.delete(name);
        this.dispatchEvent(new MessageEvent(name));
      };
      this.waiting.set(name, setTimeout(tell, 300));
    }
  }

  let stream;
  htmx.createEventSource = (url) => (stream ??= new Stream(url));

  // New rows wait behind a pill while the reader has scrolled or points at the list.
  const reading = (list) => scrollY > 120 || list.matches(":hover") || list.contains(document.activeElement);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = event.detail.target;
    if (!list.matches?.("[data-grows]") || event.detail.requestConfig.elt !== list) return;
    const answer = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    const fresh = $$(".row", answer).filter((row) => !document.getElementById(row.id));
    if (!fresh.length || !$(".row", list)) return;
    if (!reading(list) || list.dataset.show) {
      list.arrived = fresh.map((row) => row.id);
      return;
    }
    const newest = Number($(".row", list).dataset.id);
    const above = fresh.filter((row) => Number(row.dataset.id) > newest);
    above.forEach((row) => row.remove());
    if (!above.length) return;
    const pill = $("#pill").content.cloneNode(true).firstElementChild;
    const button = $("button", pill);
    button.textContent = above.length === 1 ? button.dataset.one : button.dataset.many.replace("#", above.length);
    $("[data-pill]", answer)?.append(pill);
    event.detail.serverResponse = answer.body.innerHTML;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const list = document.getElementById(event.detail.target.id);
    delete list?.dataset.show;
    (list?.arrived ?? []).forEach((id) => document.getElementById(id)?.classList.add("arrived"));
    if (list) list.arrived = [];
    tick();
  });

  // Filters that are empty have no place in an address.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb !== "get") return;
    for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
  });

  // After a change, done or refused, every region shows what is true now, without waiting for the stream.
  // A region that is quiet only asks what a form would do.
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.requestConfig?.verb === "post" && detail.successful) detail.elt.closest("form[data-choosing]")?.reset();
    if (detail.requestConfig?.verb === "post" && !detail.elt.matches("[data-quiet]")) stream?.hear("all-changed");
  });

  // What somebody wrote after a region was asked for is newer than the answer.
  let askedAt = 0;
  document.addEventListener("input", ({ target }) => (target.writtenAt = performance.now()), true);
  document.addEventListener("htmx:beforeSend", ({ detail }) => (detail.xhr.askedAt = performance.now()));
  document.addEventListener("htmx:beforeSwap", ({ detail }) => (askedAt = detail.xhr.askedAt));
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (element) => !(element.writtenAt > askedAt);

  // An open <details> stays open when its region is replaced, and what was chosen stays chosen.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
    !(name === "open" && element.matches("details, dialog")) &&
    !(/^(checked|selected)$/.test(name) && element.closest("[data-choosing]"));

  // Relative times, in the words of the page's language.
  const words = JSON.parse(root.dataset.distances);

  function distance(seconds) {
    const far = Math.abs(seconds);
    if (far < words.near) return words.now;
    const [, unit, span] = words.spans.find(([limit]) => far < limit);
    const told = span.replace("{n}", Math.floor(far / unit));
    return (seconds < 0 ? words.past : words.future).replace("{span}", told);
  }

  function tick() {
    for (const time of $$("time[data-ago]")) {
      const seconds = Math.trunc((new Date(time.dateTime) - Date.now()) / 1000);
      const isNow = time.dataset.ago === "due" && seconds < 0 && seconds > -words.late;
      const text = isNow ? words.now : distance(seconds);
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(() => document.hidden || tick(), 1000);

  // The keyboard
  let after = "";
  const titles = () => $$("#main .row .title");

  function step(by) {
    const rows = titles();
    const at = rows.indexOf(document.activeElement);
    (rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by] ?? document.activeElement).focus();
  }

  function again() {
    const row = document.activeElement.closest(".row");
    const form = row ? $("form[data-again]", row) : $("#message form[data-again], #delivery form[data-again]");
    if (form) form.requestSubmit();
    else if (row?.dataset.again) htmx.ajax("POST", row.dataset.again, { source: row, swap: "none", target: row });
  }

  const KEYS = {
    "/": () => $("input[type=search]")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    r: again,
    "?": () => $("#keys").showModal(),
    g: () => setTimeout(() => (after = ""), 1000, (after = "g")),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const section = after === "g" && $(`.rail [data-key="${CSS.escape(event.key)}"]`);
    after = "";
    if (section) section.click();
    else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
    else return;
    event.preventDefault();
  });

  // Small clicks: copy, show what is new.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches("[data-copy]")) {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      const label = $("span", button);
      const said = label.textContent;
      label.textContent = $("#copied").content.textContent;
      setTimeout(() => (label.textContent = said), 1500);
    } else if (button.closest(".pill")) {
      const list = button.closest("[data-grows]");
      list.dataset.show = "1";
      scrollTo({ top: 0 });
      htmx.trigger(list, "sse:all-changed");
    }
  });

  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches?.(".toast")) setTimeout(() => event.detail.elt.remove(), 10000);
  });
})();
