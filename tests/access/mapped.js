// Where a map's picture and its table disagree: each number of the table must have the colour of its step at its place in the
// picture, steps follow each other without overlap, and there is nothing where the table has 0.
const chart = document.querySelector('[data-chart=latency]'), canvas = chart.querySelector('canvas'), { width, height } = canvas;
const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
const number = (text) => Number(text.replace(/,/g, ''));
const ticks = [...chart.querySelectorAll('.plot .y')].map((label) => [Math.log(number(label.innerText)), parseFloat(label.style.top) / 100]);
const [[low, lowTop], [high, highTop]] = [ticks[0], ticks[ticks.length - 1]];
const top = (value) => lowTop + (Math.log(value) - low) / (high - low) * (highTop - lowTop);
const bands = [...chart.querySelectorAll('.data thead th')].slice(1).map((head) => head.innerText.split('–').map(number));
const end = parseFloat(chart.querySelector('.plot .x.last').innerText);
const found = [], steps = new Map();
for (const row of chart.querySelectorAll('.data tbody tr')) {
  bands.forEach(([from], band) => {
    const count = number(row.children[band + 1].innerText), second = parseFloat(row.children[0].innerText);
    const x = Math.floor((second + 0.5) / end * width), bottom = Math.round(2 + top(from) * (height - 4));
    // Cells are blue, lines of the grid grey.
    const isBlue = (at) => pixels[at + 3] > 200 && pixels[at + 2] - pixels[at] > 30;
    const at = [1, 2].map((up) => 4 * ((bottom - up) * width + x)).find(isBlue);
    const isInked = at !== undefined, color = isInked && [...pixels.slice(at, at + 3)].join();
    if (isInked !== count > 0) found.push(`${second} s, from ${from} ms: ${count}, and the picture has ${isInked ? color : 'nothing'}`);
    if (!isInked || !count) return;
    const [least, most] = steps.get(color) || [count, count];
    steps.set(color, [Math.min(least, count), Math.max(most, count)]);
  });
}
const light = (color) => color.split(',').reduce((sum, part, index) => sum + part * [2, 7, 1][index], 0);
const ranges = [...steps].sort(([, [a]], [, [b]]) => a - b);
ranges.slice(1).forEach(([color, [least]], index) => {
  const [before, [, most]] = ranges[index];
  if (least <= most || light(color) >= light(before)) found.push(`${before} up to ${most}, then ${color} from ${least}`);
});
if (ranges.length < 3 || ranges.length > 5) found.push(`${ranges.length} colours`);
return found.slice(0, 6);
