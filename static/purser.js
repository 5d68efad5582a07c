// The only script Purser writes; served from our own origin, after htmx 2.0.x. Pages work without it.
document.addEventListener('htmx:afterSettle', ({ target }) => {
  const dialog = target.closest('dialog');
  if (dialog && !dialog.open) dialog.showModal();
  const next = target.matches('[data-focus]') ? target : target.querySelector('[data-focus]');
  if (next) { next.tabIndex = -1; next.focus(); }
});

// A long menu is opened where its page is.
const here = document.querySelector('.side > [aria-current]');
if (here) here.parentElement.scrollTop = here.offsetTop + 2 * here.offsetHeight - here.parentElement.clientHeight;

// One amount, not two: a preset takes the place of what was typed, and the other way round, as on the server.
// In the capture phase, so that it is done before htmx reads the form.
document.addEventListener('change', ({ target }) => {
  if (target.dataset.clears) document.getElementById(target.dataset.clears).value = '';
}, true);
document.addEventListener('input', ({ target }) => {
  if (!target.dataset.outranks || !target.value) return;
  for (const preset of target.form.querySelectorAll(`input[type=radio][name="${target.dataset.outranks}"]`)) preset.checked = false;
}, true);

// What went wrong goes where the toasts go, and the page stays as it was.
const say = (id) => {
  const words = document.getElementById(id);
  if (words) document.getElementById('flash').replaceChildren(words.content.cloneNode(true));
};
document.addEventListener('htmx:sendError', () => say('offline'));
document.addEventListener('htmx:responseError', ({ detail }) => {
  if (detail.xhr.status === 429) say('hurried');
  else if (detail.xhr.status >= 500) say('broken');
});

// The choice of appearance lasts: the server reads the cookie, so the next page comes in the right colours at once.
document.addEventListener('change', ({ target }) => {
  if (target.name !== 'theme') return;
  const age = target.value === 'system' ? 0 : 31536000;
  document.cookie = `theme=${target.value}; path=/; max-age=${age}; samesite=lax`;
});

document.addEventListener('click', (e) => {
  const b = e.target.closest('button');
  if (!b) return;
  if (b.dataset.copy) {
    const field = document.getElementById(b.dataset.copy);
    field.select();
    navigator.clipboard?.writeText(field.value).then(() => { b.lastChild.textContent = 'Copied'; });
  }
  if (b.hasAttribute('data-dismiss')) { e.preventDefault(); b.closest('.notice').remove(); }
  // Browsers without command/commandfor.
  if (!('command' in HTMLButtonElement.prototype) && b.getAttribute('commandfor')) {
    const d = document.getElementById(b.getAttribute('commandfor'));
    if (b.getAttribute('command') === 'show-modal') d.showModal(); else d.close();
  }
});

// A form that leaves for the checkout is sent once: the button says so and cannot be pressed again.
document.addEventListener('submit', ({ target, submitter }) => {
  const button = submitter?.dataset.busy ? submitter : null;
  if (!button || target.hasAttribute('hx-post')) return;
  const spin = document.createElement('span');
  spin.className = 'spin';
  setTimeout(() => {
    button.disabled = true;
    button.replaceChildren(spin, button.dataset.busy);
  });
});
// Coming back with the browser's own button shows the page as it was left, so the button is given back.
window.addEventListener('pageshow', (e) => { if (e.persisted && document.querySelector('button:disabled > .spin')) location.reload(); });
