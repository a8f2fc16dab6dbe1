// How the element that has the focus shows it: an outline of its own, of what stands in for it, or around it. Also who it is.
const element = document.activeElement;
if (!element || element === document.body) return null;
const outline = (element, pseudo) => { const style = getComputedStyle(element, pseudo); return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; };
const around = [element.closest('.opener'), element.closest('.scrubwrap')?.querySelector('.ring')].filter(Boolean);
const isShown = outline(element) || outline(element, '::after') || around.some((other) => outline(other));
const box = element.getBoundingClientRect();
const isUnder = box.height > 0 && (box.bottom < 0 || box.top > innerHeight);
element.dataset.reached = Number(element.dataset.reached || 0) + 1;
return { name: `${element.tagName.toLowerCase()}.${element.className} “${(element.getAttribute('aria-label') || element.textContent).trim().slice(0, 30)}”`, isShown, isUnder, times: Number(element.dataset.reached) };
