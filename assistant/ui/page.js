(() => {
  "use strict";
  const root = document.documentElement;

  // Light or dark: the system's choice, until the visitor makes another one.
  const wanted = () => {
    try { return localStorage.getItem("whyfake-theme"); } catch { return null; }
  };
  const paint = () => {
    const choice = wanted();
    if (choice) document.body.classList.toggle("dark", choice === "dark");
  };

  const say = (() => {
    let place = null;
    let last = "";
    return (words) => {
      if (!place) {
        place = document.createElement("div");
        place.id = "wf-live";
        place.className = "wf-sr";
        place.setAttribute("role", "status");
        place.setAttribute("aria-live", "polite");
        document.body.append(place);
      }
      if (words && words !== last) { last = words; place.textContent = words; }
    };
  })();

  const light = (chip, on) => {
    const name = CSS.escape(chip.dataset.region);
    chip.closest(".wf-look").querySelectorAll(`.wf-rim[data-region="${name}"]`)
      .forEach((rim) => rim.classList.toggle("wf-on", on || chip.getAttribute("aria-pressed") === "true"));
  };

  const opacity = (slider) => {
    root.style.setProperty("--wf-opacity", slider.value / 100);
    slider.setAttribute("aria-valuetext", `${slider.value} percent`);
  };

  // What is cited is shown as a pair of pictures where there is one, else in the list of facts.
  const show = (id, inList) => {
    const pair = inList ? null : document.getElementById(`pair-${id}`);
    const fact = pair ?? document.getElementById(`fact-${id}`);
    if (!fact) return;
    const folded = fact.closest("details");
    if (folded) folded.open = true;
    document.querySelectorAll(".wf-found").forEach((old) => old.classList.remove("wf-found"));
    fact.classList.add("wf-found");
    fact.focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    fact.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  };

  document.addEventListener("click", (event) => {
    const cite = event.target.closest("a.wf-cite");
    if (cite) { event.preventDefault(); show(cite.dataset.fact, cite.classList.contains("wf-to-fact")); return; }
    const chip = event.target.closest(".wf-chip");
    if (chip) {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      light(chip, true);
      return;
    }
    if (event.target.closest(".wf-theme")) {
      const dark = !document.body.classList.contains("dark");
      try { localStorage.setItem("whyfake-theme", dark ? "dark" : "light"); } catch { /* private mode */ }
      document.body.classList.toggle("dark", dark);
    }
  });
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => {
      const chip = event.target.closest?.(".wf-chip");
      if (chip) light(chip, on);
    });
  }
  document.addEventListener("input", (event) => {
    if (event.target.id === "wf-opacity") opacity(event.target);
    if (event.target.id === "wf-amplify") root.classList.toggle("wf-amplified", event.target.checked);
  });

  // A picture on the clipboard goes the same way as a dropped one.
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    const field = document.querySelector("#wf-drop input[type=file]");
    if (!file || !field) return;
    event.preventDefault();
    const carried = new DataTransfer();
    carried.items.add(file);
    field.files = carried.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });

  const settle = () => {
    document.querySelectorAll("[data-announce]").forEach((part) => {
      if (part.dataset.said) return;
      part.dataset.said = "1";
      const verdict = part.matches(".wf-verdict");  // drawn anew as more is measured
      if (!verdict || part.dataset.announce !== root.dataset.verdictSaid) say(part.dataset.announce);
      if (verdict) root.dataset.verdictSaid = part.dataset.announce;
    });
    const slider = document.getElementById("wf-opacity");
    const kept = root.style.getPropertyValue("--wf-opacity");
    if (slider && kept && !slider.dataset.kept) {
      slider.dataset.kept = "1";
      slider.value = Math.round(kept * 100);
      opacity(slider);
    }
    const amplify = document.getElementById("wf-amplify");
    if (amplify) amplify.checked = root.classList.contains("wf-amplified");
    const panel = document.getElementById("wf-panel");
    const tab = document.querySelector('[role=tab][aria-selected="true"]');
    if (panel) {
      if (tab) { panel.setAttribute("role", "tabpanel"); panel.setAttribute("aria-labelledby", tab.id); }
      else { panel.removeAttribute("role"); panel.removeAttribute("aria-labelledby"); }
    }
    const field = document.querySelector("#wf-drop input[type=file]");
    if (field && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", "Photo or video to analyse");
  };

  const start = () => {
    paint();
    settle();
    let due = false;
    new MutationObserver(() => {
      if (due) return;
      due = true;
      requestAnimationFrame(() => { due = false; settle(); });
    }).observe(document.body, { childList: true, subtree: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
