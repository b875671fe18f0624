// Runs in Gradio's HTML part of the tabs, which gives `element` and `trigger`.
const open = (tab) => { tab.focus(); trigger('select', {index: Number(tab.dataset.index)}); };
element.addEventListener('click', (e) => {
  const tab = e.target.closest('[role=tab]');
  if (tab) open(tab);
});
element.addEventListener('keydown', (e) => {
  const tabs = [...element.querySelectorAll('[role=tab]')];
  const at = tabs.indexOf(e.target.closest('[role=tab]'));
  const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
  if (at < 0 || !step) return;
  e.preventDefault();
  open(tabs[(at + step + tabs.length) % tabs.length]);
});
