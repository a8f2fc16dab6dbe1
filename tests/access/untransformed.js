// Texts of the interface that are in no table: in a pseudo-language each text of a table stands between ⟦ and ⟧. What is no
// interface says so itself: by the language of its element, as code, key or identifier; numbers may have the unit of a time.
const isExempt = (element) => element.closest('[lang]') !== document.documentElement || element.closest('code, kbd, pre, textarea, [translate=no]');
const isNumber = (text) => /^\P{L}*(\d\P{L}*(µs|ms|s)?\P{L}*)*$/u.test(text);
const outside = (text) => {
  for (let before = ''; before !== text;) [before, text] = [text, text.replace(/⟦[^⟦⟧]*⟧/gu, '')];
  return text.trim();
};
const found = new Set();
const look = (text, element, where) => {
  const left = outside(text || '');
  if (!isNumber(left) && !isExempt(element)) found.add(`${where} “${left.slice(0, 60)}”`);
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!element.closest('script, style, noscript')) look(texts.currentNode.data, element, element.tagName.toLowerCase());
}
for (const attribute of ['aria-label', 'aria-valuetext', 'title', 'placeholder', 'alt', 'label']) {
  for (const element of document.querySelectorAll(`body [${attribute}]`)) look(element.getAttribute(attribute), element, attribute);
}
look(document.title, document.documentElement, 'title');
if (!document.body.innerText.includes('⟦')) found.add('nothing is said in this language');
if (document.querySelector('[data-injected]')) found.add('markup of a text became an element');
return [...found].slice(0, 20);
