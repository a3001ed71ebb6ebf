// What the viewer computes: greys of a window, the way back from what was sent, zoom and pan. No page is touched here.
// viewer.js follows in the same module.

// A window: {center, width, function} in the values of the file (DICOM PS3.3 C.11.2), or {table} of greys by number.
// A number n stands for the value slope * n + intercept.

/** Shares of white of a value: below 0 and above 1 outside of the window. */
export function share(value, { center, width, function: kind }) {
  if (kind === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const inclusive = kind === "LINEAR" && width > 1;
  return inclusive ? (value - center + 0.5) / (width - 1) + 0.5 : (value - center) / width + 0.5;
}

/** The grey of each number a picture can hold. ``inverted``: the reader asked for the negative. Padding stays black. */
export function greys(picture, window, inverted) {
  const found = new Uint8Array(picture.table.length);
  for (let number = 0; number < found.length; number += 1) {
    let grey = window.table ? window.table[number] : 0;
    if (!window.table) {
      grey = Math.round(255 * Math.min(1, Math.max(0, share(picture.slope * number + picture.intercept, window))));
      if (picture.inverted) grey = 255 - grey;
    }
    found[number] = inverted ? 255 - grey : grey;
  }
  if (picture.padding) found.fill(0, picture.padding[0], picture.padding[1] + 1);
  return found;
}

/** Write a picture's greys as RGBA, which lie as ABGR in the words of a little-endian machine. */
export function paint(numbers, found, words) {
  const colours = new Uint32Array(found.length);
  for (let number = 0; number < found.length; number += 1) colours[number] = 0xff000000 | (found[number] * 0x010101);
  for (let at = 0; at < numbers.length; at += 1) words[at] = colours[numbers[at]];
}

/** Inflated bytes -> the numbers and the table of the file's own greys, which packing.py has put together. */
export function unpacked(bytes, count, deep) {
  const numbers = deep ? new Uint16Array(count) : new Uint8Array(count);
  if (bytes.length !== (deep ? 2 : 1) * count + (deep ? 65536 : 256)) throw new Error("the picture is not whole");
  let number = 0;
  for (let at = 0; at < count; at += 1) {
    number = (number + bytes[at] + (deep ? bytes[count + at] << 8 : 0)) & 0xffff;
    numbers[at] = number;
  }
  return { numbers, table: bytes.slice(deep ? 2 * count : count) };
}

// A view: {zoom, x, y}. Zoom 1 shows all of a picture; x and y are the place in the middle of the pane, as shares of
// the picture, so that pictures of different sizes beside each other show the same part.

/** Device pixels to a pixel of the picture at zoom 1. */
export function fit(pane, picture) {
  return Math.min(pane.width / picture.width, pane.height / picture.height);
}

/** The smallest zoom shows all, or each pixel as one; the largest makes 16 of one. */
export function limits(pane, picture) {
  const one = 1 / fit(pane, picture);
  return { least: Math.min(1, one), most: Math.max(2, 16 * one) };
}

/** A view within its limits: no further out than all, and then in the middle; nearer, the middle of the pane is
 * somewhere on the picture. */
export function clamped(view, pane, picture) {
  const { least, most } = limits(pane, picture);
  const zoom = Math.min(most, Math.max(least, view.zoom));
  const along = (place) => (zoom <= 1 ? 0.5 : Math.min(1, Math.max(0, place)));
  return { zoom, x: along(view.x), y: along(view.y) };
}

/** Zoomed by a factor, so that what lies under the point (device pixels in the pane) stays there. */
export function zoomed(view, factor, point, pane, picture) {
  const { least, most } = limits(pane, picture);
  const zoom = Math.min(most, Math.max(least, view.zoom * factor));
  const shift = (place, from, room, size) =>
    place + ((from - room / 2) / (size * fit(pane, picture))) * (1 / view.zoom - 1 / zoom);
  const x = shift(view.x, point.x, pane.width, picture.width);
  const y = shift(view.y, point.y, pane.height, picture.height);
  return clamped({ zoom, x, y }, pane, picture);
}

/** Moved by device pixels: the picture follows the pointer. */
export function panned(view, right, down, pane, picture) {
  const scale = fit(pane, picture) * view.zoom;
  const x = view.x - right / (picture.width * scale);
  const y = view.y - down / (picture.height * scale);
  return clamped({ zoom: view.zoom, x, y }, pane, picture);
}

/** Where the picture lies in the pane: its corner, and device pixels to a pixel. Whole pixels lie on whole pixels. */
export function placed(view, pane, picture) {
  const near = fit(pane, picture) * view.zoom;
  // What is a pixel for a pixel but for a rounding error is just that.
  const scale = Math.abs(near - Math.round(near)) < 1e-6 ? Math.round(near) : near;
  const corner = (place, room, size) => Math.round(room / 2 - place * size * scale);
  return { left: corner(view.x, pane.width, picture.width), top: corner(view.y, pane.height, picture.height), scale };
}

/** A window dragged by shares of a pane: right is wider, up is brighter. ``falling``: small values are bright. */
export function dragged(window, right, down, span, falling) {
  const width = Math.max(span / 4096, window.width * Math.exp(2 * right));
  const center = window.center + (falling ? -1 : 1) * down * Math.max(width, span / 8);
  return { function: "LINEAR_EXACT", width, center };
}
