/** Lines over the size of a pool as an SVG, both axes logarithmic; nothing but text is needed. */

export interface Line {
  readonly name: string;
  /** One value a size, above 0. */
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const PANEL = { width: 330, height: 300, left: 52, right: 12, top: 34, bottom: 42 };
const LEGEND_WIDTH = 150;
/** Okabe and Ito's, which the colour-blind can distinguish. */
const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#000000',
  '#999933',
];

/** Panels side by side with the same axes: `sizes` across, `ticks` upwards. */
export function svgPlot(
  panels: readonly Panel[],
  sizes: readonly number[],
  ticks: readonly number[],
  label: string,
): string {
  const width = PANEL.width * panels.length + LEGEND_WIDTH;
  const names = panels[0]?.lines.map(({ name }) => name) ?? [];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${PANEL.height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${PANEL.height}" fill="white"/>`,
    ...panels.map((panel, at) => drawPanel(panel, at * PANEL.width, sizes, ticks)),
    `<text transform="translate(12 ${PANEL.height / 2}) rotate(-90)" text-anchor="middle">${label}</text>`,
    ...names.map((name, at) => drawLegend(name, at, width - LEGEND_WIDTH + 8)),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(
  { title, lines }: Panel,
  left: number,
  sizes: readonly number[],
  ticks: readonly number[],
): string {
  const x = scale(sizes, left + PANEL.left, left + PANEL.width - PANEL.right);
  const y = scale(ticks, PANEL.height - PANEL.bottom, PANEL.top);
  const [from, to] = [left + PANEL.left, left + PANEL.width - PANEL.right];
  const bottom = PANEL.height - PANEL.bottom;
  return [
    `<text x="${round((from + to) / 2)}" y="20" text-anchor="middle" font-weight="bold">${title}</text>`,
    ...ticks.map(
      (tick) =>
        `<path d="M${round(from)} ${round(y(tick))}H${round(to)}" stroke="#ddd"/>` +
        `<text x="${round(from - 5)}" y="${round(y(tick) + 4)}" text-anchor="end">${tick}</text>`,
    ),
    ...sizes
      .filter((_, at) => at % 2 === 0)
      .map(
        (size) =>
          `<text x="${round(x(size))}" y="${bottom + 16}" text-anchor="middle">${size}</text>`,
      ),
    `<text x="${round((from + to) / 2)}" y="${bottom + 32}" text-anchor="middle">backends</text>`,
    ...lines.map(({ values }, at) => {
      const points = values.map(
        (value, size) => `${round(x(sizes[size] ?? 1))},${round(y(value))}`,
      );
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour(at)}" stroke-width="1.6"/>`;
    }),
  ].join('\n');
}

function drawLegend(name: string, at: number, left: number): string {
  const y = PANEL.top + 10 + at * 20;
  return (
    `<path d="M${left} ${y}h20" stroke="${colour(at)}" stroke-width="2"/>` +
    `<text x="${left + 26}" y="${y + 4}">${name}</text>`
  );
}

function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const low = Math.log(Math.min(...values));
  const high = Math.log(Math.max(...values));
  return (value) => from + ((Math.log(value) - low) / (high - low)) * (to - from);
}

function colour(at: number): string {
  return COLOURS[at % COLOURS.length] ?? 'black';
}

function round(value: number): string {
  return value.toFixed(1);
}
