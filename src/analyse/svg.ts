/** What the drawings share: escaping, and one style sheet for light and dark. */

export function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/** Colours by role, given twice: an SVG follows the reader's scheme. */
const STYLE = `
  svg { background: #fff }
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
  .faint { fill: #59636e } .head { font-weight: 600; font-size: 13px }
  .axis, .grid { stroke: #59636e; fill: none } .grid { stroke: #d1d9e0 }
  .line { stroke: #1f2328; fill: none } .lost { stroke: #c62828; fill: none } .warn { stroke: #9a6700; fill: none }
  .good { stroke: #1a7f37; fill: none } .second { stroke: #0969da; fill: none } .fill { fill: #1f2328; stroke: none }
  .fill-lost { fill: #c62828; stroke: none } .fill-warn { fill: #9a6700; stroke: none } .fill-good { fill: #1a7f37; stroke: none }
  .t-lost { fill: #c62828 } .t-warn { fill: #9a6700 } .t-good { fill: #1a7f37 } .t-second { fill: #0969da }
  .halo { paint-order: stroke; stroke: #fff; stroke-width: 4px }
  .plate { fill: #fff } .band { fill: #f6f8fa }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #e6edf3 } .faint { fill: #9198a1 } .axis { stroke: #9198a1 } .grid { stroke: #30363d }
    .line { stroke: #e6edf3 } .lost { stroke: #ff7b72 } .warn { stroke: #e3b341 } .good { stroke: #56d364 }
    .second { stroke: #79c0ff } .fill { fill: #e6edf3 } .fill-lost { fill: #ff7b72 } .fill-warn { fill: #e3b341 }
    .fill-good { fill: #56d364 } .t-lost { fill: #ff7b72 } .t-warn { fill: #e3b341 } .t-good { fill: #56d364 }
    .halo { stroke: #0d1117 }
    .t-second { fill: #79c0ff } .plate { fill: #0d1117 } .band { fill: #161b22 }
  }`;

/**
 * A whole picture, with its name and description for those who hear it read.
 * @param body what is drawn, as SVG.
 */
export function svgDocument(width: number, height: number, title: string, description: string, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" width="${width}" ` +
    `height="${height}" viewBox="0 0 ${width} ${height}"><title id="title">${escapeXml(title)}</title>` +
    `<desc id="description">${escapeXml(description)}</desc><style>${STYLE}</style>${body}</svg>\n`
  );
}
