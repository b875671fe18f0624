// Keyboard shortcuts, off until the visitor turns them on. The pages work without this file.
const box = document.getElementById("keys");
const help = document.getElementById("help");
const stored = "whyfake-desk-keys";

function set(on) {
  box.checked = on;
  if (help) help.hidden = !on;
}

function choose(outcome) {
  const radio = document.querySelector(`#decide input[value="${outcome}"]`);
  if (!radio) return;
  radio.checked = true;
  document.querySelector("#decide textarea").focus();
}

const acts = {
  c: () => choose("confirm"),
  r: () => choose("reject"),
  e: () => choose("escalate"),
  s: () => document.getElementById("show")?.click(),
  q: () => document.querySelector("#ask input[name=question]")?.focus(),
  n: () => (document.getElementById("following") ?? document.querySelector("a.case"))?.click(),
};

if (box) {
  set(localStorage.getItem(stored) === "on");
  box.addEventListener("change", () => {
    localStorage.setItem(stored, box.checked ? "on" : "off");
    set(box.checked);
  });
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.altKey || event.metaKey) return;
    const field = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if (event.ctrlKey) {
      if (event.key === "Enter" && field?.form) field.form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && field) field.blur();
    if (field || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
}
