// Rules that axe-core does not have: pictures have names, controls are large enough to touch.
const found = [];
const name = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class') || ''} “${(element.getAttribute('aria-label') || element.textContent).trim().slice(0, 40)}”`;
for (const canvas of document.querySelectorAll('canvas')) {
  const isNamed = canvas.getAttribute('role') === 'img' && canvas.getAttribute('aria-label')?.trim();
  if (!isNamed && !canvas.closest('[aria-hidden=true]')) found.push(`a canvas without a name: ${name(canvas)}`);
}
for (const picture of document.querySelectorAll('svg')) {
  if (!picture.closest('[aria-hidden=true]') && !(/^(img|group)$/.test(picture.getAttribute('role')) && picture.getAttribute('aria-label'))) found.push(`a drawing without a name: ${name(picture)}`);
}
for (const control of document.querySelectorAll('button, a[href], select, summary, input:not([type=file]), textarea')) {
  const box = control.getBoundingClientRect();
  if (!control.checkVisibility() || control.closest('.unseen') || control.closest('p, li, dd, td, .prose') && control.matches('a, .link')) continue;
  if (box.width < 24 || box.height < 24) found.push(`${Math.round(box.width)} by ${Math.round(box.height)} px: ${name(control)}`);
}
return found.slice(0, 12);
