// Runs in Gradio's HTML part of the marked-up clip, which gives `element` and `trigger`.
element.addEventListener('click', (e) => {
  if (e.target.closest('[data-make]')) trigger('select', {});
});
