import { fileURLToPath } from 'node:url';
import PDFDocument from 'pdfkit';
import type { Heat, ReportDocument, Section, Table } from '../../domain/reports/document.ts';

/** Noto Sans KR with the 2,350 syllables of KS X 1001 and Latin, under the OFL beside it. */
const FONT = fileURLToPath(new URL('./fonts/NotoSansKR.ttf', import.meta.url));
const MARGIN = 48;
const WIDTH = 595.28 - 2 * MARGIN;
const BOTTOM = 841.89 - MARGIN;
const INK = '#1c1917';
const SOFT = '#57534e';
const LINE = '#d6d3d1';

/** Not among the options that its types know: the file says that it is PDF/UA, for readers that ask. */
const UNIVERSAL: object = { subset: 'PDF/UA' };

type Doc = PDFKit.PDFDocument;
type Struct = PDFKit.PDFStructureElement;

/**
 * Writes a report as a tagged PDF with its font embedded, so that it is read aloud and searched as well as printed. All
 * in it comes from the document, its date too: the same document gives the same bytes.
 */
export function renderPdf(report: ReportDocument): Promise<Buffer> {
  const date = new Date(report.date);
  const doc = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    pdfVersion: '1.7',
    ...UNIVERSAL,
    tagged: true,
    lang: report.lang,
    displayTitle: true,
    bufferPages: true,
    font: FONT,
    info: { Title: report.title, Producer: 'Turnkeeper', Creator: 'Turnkeeper', CreationDate: date, ModDate: date },
  });
  const chunks: Buffer[] = [];
  const written = new Promise<Buffer>((done, failed) => {
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => done(Buffer.concat(chunks)));
    doc.on('error', failed);
  });
  const root = doc.struct('Document');
  doc.addStructure(root);
  write(doc, root, 'H1', report.title, { size: 20 });
  write(doc, root, 'P', report.lead, { size: 9.5, color: SOFT, gap: 10 });
  for (const section of report.sections) writeSection(doc, root, section);
  root.end();
  writeFooters(doc, report.footer);
  doc.end();
  return written;
}

function writeSection(doc: Doc, root: Struct, { heading, lines = [], facts, table, heat }: Section): void {
  const part = doc.struct('Sect');
  root.add(part);
  // A heading stays with what follows it.
  if (doc.y > BOTTOM - 90) doc.addPage();
  doc.y += 8;
  write(doc, part, 'H2', heading, { size: 13, gap: 4 });
  for (const line of lines) write(doc, part, 'P', line, { size: 10, gap: 3 });
  if (facts !== undefined) writeRows(doc, part, { rows: facts, widths: [0.36, 0.64], isHead: false });
  if (table !== undefined) writeTable(doc, part, table);
  if (heat !== undefined) writeHeat(doc, part, heat);
  part.end();
}

function write(
  doc: Doc,
  into: Struct,
  tag: string,
  text: string,
  { size, color = INK, gap = 2 }: { size: number; color?: string; gap?: number },
): void {
  into.add(
    doc.struct(tag, {}, () => {
      doc.fontSize(size).fillColor(color).text(text, MARGIN, doc.y, { width: WIDTH, lineGap: 2 });
    }),
  );
  doc.y += gap;
}

function writeTable(doc: Doc, into: Struct, { columns, rows }: Table): void {
  const isWide = columns.length === 5 && rows.some(([name = '']) => name.length > 40);
  const first = isWide ? 0.52 : 0.4;
  const widths = columns.map((_, i) => (i === 0 ? first : (1 - first) / (columns.length - 1)));
  writeRows(doc, into, { rows: [columns, ...rows], widths, isHead: true });
}

/** Rows in columns of parts of the width; a first row of headings, or a first column of them. */
function writeRows(
  doc: Doc,
  into: Struct,
  { rows, widths, isHead }: { rows: readonly (readonly string[])[]; widths: readonly number[]; isHead: boolean },
): void {
  const table = doc.struct('Table');
  into.add(table);
  doc.fontSize(9);
  for (const [n, cells] of rows.entries()) {
    const isHeadings = isHead && n === 0;
    const height =
      Math.max(...cells.map((cell, i) => doc.heightOfString(cell || ' ', { width: at(widths, i) - 8 }))) + 5;
    if (doc.y + height > BOTTOM) doc.addPage();
    const top = doc.y;
    const row = doc.struct('TR');
    table.add(row);
    let x = MARGIN;
    for (const [i, cell] of cells.entries()) {
      const width = at(widths, i);
      const left = x;
      const isHeading = isHeadings || (!isHead && i === 0);
      row.add(
        doc.struct(isHeading ? 'TH' : 'TD', {}, () => {
          doc.fillColor(isHeading ? SOFT : INK).text(cell, left + (i === 0 ? 0 : 8), top + 2, {
            width: width - 8,
            align: isHead && i > 0 ? 'right' : 'left',
          });
        }),
      );
      x += width;
    }
    row.end();
    doc.y = top + height;
    drawing(doc, () =>
      doc
        .moveTo(MARGIN, doc.y)
        .lineTo(MARGIN + WIDTH, doc.y)
        .lineWidth(0.5)
        .strokeColor(LINE)
        .stroke(),
    );
  }
  table.end();
  doc.y += 6;
}

function at(widths: readonly number[], i: number): number {
  return (widths[i] ?? 0) * WIDTH;
}

const NAME_WIDTH = 30;
const CELL = (WIDTH - NAME_WIDTH) / 24;
const ROW = 17;

/** The week as a table of coloured cells, each with its figure. */
function writeHeat(doc: Doc, into: Struct, { weekdays, cells, caption }: Heat): void {
  if (doc.y + ROW * 8 + 20 > BOTTOM) doc.addPage();
  const top = doc.y;
  const most = Math.max(1, ...cells.flat());
  drawing(doc, () => {
    for (const [d, row] of cells.entries())
      for (const [h, value] of row.entries())
        doc
          .rect(MARGIN + NAME_WIDTH + h * CELL, top + (d + 1) * ROW, CELL - 1, ROW - 1)
          .fill(value === 0 ? '#f5f5f4' : shadeOf(value / most));
  });
  const table = doc.struct('Table');
  into.add(table);
  const heads = ['', ...Array.from({ length: 24 }, (_, h) => String(h))];
  writeLine(doc, table, { y: top + 3, cells: heads.map((text) => ({ text, color: SOFT, tag: 'TH' })) });
  for (const [d, row] of cells.entries()) {
    const values = row.map((value) => ({ text: short(value), color: value / most > 0.5 ? '#ffffff' : INK, tag: 'TD' }));
    const name = { text: weekdays[d] ?? '', color: SOFT, tag: 'TH' };
    writeLine(doc, table, { y: top + (d + 1) * ROW + 4, cells: [name, ...values] });
  }
  table.end();
  doc.y = top + 8 * ROW + 4;
  write(doc, into, 'P', caption, { size: 9, color: SOFT });
}

function writeLine(
  doc: Doc,
  table: Struct,
  { y, cells }: { y: number; cells: readonly { text: string; color: string; tag: string }[] },
): void {
  const line = doc.struct('TR');
  table.add(line);
  for (const [i, { text, color, tag }] of cells.entries()) {
    const isName = i === 0;
    const x = isName ? MARGIN : MARGIN + NAME_WIDTH + (i - 1) * CELL;
    line.add(
      doc.struct(tag, {}, () => {
        doc
          .fontSize(isName ? 8 : 6)
          .fillColor(color)
          .text(text, x, y, {
            width: isName ? NAME_WIDTH : CELL - 1,
            align: isName ? 'left' : 'center',
            lineBreak: false,
          });
      }),
    );
  }
  line.end();
}

/** From a pale to a full blue. @param part of the fullest cell, above 0 to 1. */
function shadeOf(part: number): string {
  const mixed = [
    [0xe3, 0x2f],
    [0xe8, 0x4f],
    [0xfb, 0xd0],
  ].map(([pale = 0, full = 0]) => Math.round(pale + (full - pale) * part));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** `950`, `1.2k`, `35k`, `4.1M`: it fits a cell. */
function short(value: number): string {
  if (value < 1_000) return value === 0 ? '' : String(value);
  const [size, letter] = value < 1_000_000 ? [1_000, 'k'] : [1_000_000, 'M'];
  const scaled = value / size;
  return `${scaled < 10 ? Math.floor(scaled * 10) / 10 : Math.floor(scaled)}${letter}`;
}

/** Lines and colours are no content. */
function drawing(doc: Doc, draw: () => void): void {
  doc.markContent('Artifact', { type: 'Layout' });
  draw();
  doc.endMarkedContent();
}

function writeFooters(doc: Doc, footer: string): void {
  const { count } = doc.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    doc.switchToPage(page);
    // Below the margin, where text would begin another page.
    doc.page.margins.bottom = 0;
    doc.markContent('Artifact', { type: 'Pagination' });
    doc.fontSize(8).fillColor(SOFT);
    doc.text(footer, MARGIN, BOTTOM + 14, { width: WIDTH, lineBreak: false });
    doc.text(`${page + 1} / ${count}`, MARGIN, BOTTOM + 14, { width: WIDTH, align: 'right', lineBreak: false });
    doc.endMarkedContent();
  }
}
