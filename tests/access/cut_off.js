// What is cut off or lies beside the page, in words; nothing of what only screen readers are told.
const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length && !element.closest('.unseen');
const scrolls = (element) => {
  for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(around).overflowX)) return true;
  }
  return false;
};
const name = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class') || ''} “${element.textContent.trim().slice(0, 40)}”`;
// A name on the time line may be too long for its place: the list of the time line has it whole.
const isToldWhole = (element) => {
  const short = [element, element.parentElement].find((part) => getComputedStyle(part).textOverflow === 'ellipsis');
  return short && [...document.querySelectorAll('.scrubwrap li')].some((line) => line.textContent.includes(short.textContent));
};
const found = [];
const beyond = document.documentElement.scrollWidth - innerWidth;
if (beyond > 0) {
  const isWide = (element) => !scrolls(element) && (element.getBoundingClientRect().right > innerWidth || element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0);
  const widest = [...document.querySelectorAll('body *')].filter(isWide);
  found.push(`the page is ${beyond} px too wide: ${widest.slice(-5).map(name).join(', ')}`);
}
for (const element of document.querySelectorAll('body *')) {
  if (!isSeen(element) || element.closest('svg') && element.tagName !== 'text') continue;
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const beside = Math.max(box.right - innerWidth, -box.left);
  if (isToldWhole(element)) continue;
  if (beside > 1 && !scrolls(element)) found.push(`${Math.round(beside)} px beside the page: ${name(element)}`);
  if (element.closest('svg') || element.matches('option, select, input, textarea, canvas, progress')) continue;
  const hides = /hidden|clip/.test(style.overflowX), holds = element.matches('button, a, summary, label, .tag, .chip');
  const wide = element.scrollWidth - element.clientWidth, high = element.scrollHeight - element.clientHeight;
  if (element.clientWidth && wide > 1 && (hides || holds)) found.push(`${wide} px cut off at the side: ${name(element)}`);
  if (element.clientHeight && high > 1 && holds) found.push(`${high} px cut off below: ${name(element)}`);
}
return found.slice(0, 12);
