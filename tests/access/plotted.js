// Where a chart's picture and its table disagree: each value of the table must have its line's colour at its place in the
// picture. Dashed lines have gaps, and a later line may lie over an earlier one: some of the values may be hidden, not many.
const differences = [];
for (const chart of document.querySelectorAll('[data-chart]')) {
  const canvas = chart.querySelector('canvas'), { width, height } = canvas;
  const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const labels = [...chart.querySelectorAll('.plot .y')].map((label) => [Number(label.innerText.replace(/,/g, '')), parseFloat(label.style.top) / 100]);
  const [low, high] = [labels.find(([, top]) => top === 1)[0], labels.find(([, top]) => top === 0)[0]];
  const isLog = labels.length > 2 && labels.some(([value, top]) => value > 0 && Math.abs(top - (1 - (value - low) / (high - low))) > 0.01);
  const share = (value) => isLog ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  const rows = [...chart.querySelectorAll('.data tbody tr')];
  const end = parseFloat(chart.querySelector('.plot .x.last').innerText);
  const lines = [...chart.querySelectorAll('.keys > span')];
  lines.forEach((key, line) => {
    const ink = getComputedStyle(key.querySelector('path')).stroke.match(/\d+/g).map(Number);
    const isInked = (x, y) => {
      const at = 4 * (Math.round(y) * width + Math.round(x));
      return pixels[at + 3] > 60 && [0, 1, 2].every((part) => Math.abs(pixels[at + part] - ink[part]) < 60);
    };
    let found = 0, asked = 0, missed = '';
    for (const row of rows) {
      const text = row.children[line + 1].innerText;
      if (text === '–') continue;
      const number = (text) => Number(text.replace(/,/g, ''));
      const value = number(text);
      // A later line lies over an earlier one, as wide as lines are.
      const isCovered = (cell) => cell.innerText !== '–' && Math.abs(share(number(cell.innerText)) - share(value)) * height < 5;
      if ([...row.children].slice(line + 2).some(isCovered)) continue;
      const x = (parseFloat(row.children[0].innerText) + 0.5) / end * width, y = (1 - Math.min(Math.max(share(value), 0), 1)) * (height - 1);
      // Values are written with few digits: so much of the height may lie between the text and the value.
      const near = Math.ceil(Math.abs(share(value + 0.5) - share(Math.max(value - 0.5, low))) * height / 2) + 3;
      asked += 1;
      let hit = false;
      for (let down = -near; down <= near && !hit; down++) for (let aside = -4; aside <= 4 && !hit; aside++) {
        const [px, py] = [x + aside, y + down];
        hit = px >= 0 && px < width && py >= 0 && py < height && isInked(px, py);
      }
      found += hit ? 1 : 0;
      if (!hit) missed ||= `${row.innerText.replace(/\s+/g, ' ')}`;
    }
    if (asked && found < 0.8 * asked) differences.push(`${chart.dataset.chart}, ${key.innerText}: ${found} of ${asked} values lie on the line, not ${missed}`);
    if (!asked && line === lines.length - 1) differences.push(`${chart.dataset.chart}, ${key.innerText}: no values`);
  });
  if (rows.length < 10) differences.push(`${chart.dataset.chart}: ${rows.length} rows`);
}
return differences;
