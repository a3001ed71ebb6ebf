// The viewer: canvases, buttons and keys around what maths.js computes. Text from files is set as text alone.

const NUDGE = 1.25; // a step of zoom
const SLIDE = 60; // CSS pixels of a step of pan
const LEAST = 240; // of a pane, in pixels, however low the window is
const TALLEST = 1.3; // height of a picture to its width, where its pane is made for it
const NARROW = 560; // CSS pixels: below, what is beside each other lies below each other
const HEAT = [["over", "Over the picture"], ["beside", "Beside it"], ["off", "Hidden"]];
const MOUSE = [
  ["Wheel, pinch", "zoom towards the pointer"], ["Drag", "move"],
  ["Right or Shift + drag", "window: right is wider, up is brighter"],
];
const KEYS = [
  ["+ −", "zoom in, out"], ["0", "fit: all of the picture"], ["1", "1:1, a pixel for a pixel"],
  ["Shift + arrows", "move"], ["b d", "brighter, darker"], ["n m", "narrower window (more contrast), wider"],
  ["w", "next window of the list"], ["i", "invert"], ["v", "drag moves, or sets the window"], ["r", "reset"],
  ["f", "full screen"],
];
const HEAT_KEYS = [["h", "heat map over, beside, hidden"], [", .", "heat map fainter, stronger"]];
const TURN_KEYS = [["← →", "previous, next image"]];

// By its address, which is made from its content: fetched once, kept while there is room.
const fetched = new Map();
const ROOM = 8;

function arrived(address, made) {
  if (!fetched.has(address)) {
    const coming = fetch(address, { credentials: "same-origin" }).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status}`);
      return made(answer);
    });
    coming.catch(() => fetched.delete(address));
    fetched.set(address, coming);
    while (fetched.size > ROOM) fetched.delete(fetched.keys().next().value);
  }
  return fetched.get(address);
}

async function inflated(answer) {
  const stream = answer.body.pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function element(kind, facts = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(facts)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const whole = (value) => value.toLocaleString("en-GB");
const numeral = (value) => whole(Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(3)));

class Viewer {
  constructor(parent) {
    this.view = { zoom: 1, x: 0.5, y: 0.5 };
    this.heating = "over";
    this.pointers = new Map();
    this.panes = [];
    this.build(parent);
    this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(this.root);
    this.resized = () => this.measure();
    window.addEventListener("resize", this.resized);
  }

  build(parent) {
    const button = (textContent, onclick, more = {}) =>
      element("button", { type: "button", textContent, onclick, ...more });
    this.windowing = button("Window", () => this.toggleDrag(), {
      title: "What a drag does: move the picture, or set the window (v)", "aria-pressed": "false",
    });
    this.inverting = button("Invert", () => this.invert(), { title: "The negative (i)", "aria-pressed": "false" });
    this.choice = element("select", { "aria-label": "Window", onchange: () => this.preset(this.choice.selectedIndex) });
    this.back = button("‹", () => this.turn(-1), { "aria-label": "Previous image", title: "Previous image (←)" });
    this.on = button("›", () => this.turn(1), { "aria-label": "Next image", title: "Next image (→)" });
    this.tools = element(
      "div", { className: "row", role: "toolbar", "aria-label": "Picture" },
      this.back, this.on,
      button("−", () => this.step(1 / NUDGE), { "aria-label": "Zoom out", title: "Zoom out (−)" }),
      button("+", () => this.step(NUDGE), { "aria-label": "Zoom in", title: "Zoom in (+)" }),
      button("Fit", () => this.look({ zoom: 1, x: 0.5, y: 0.5 }), { title: "All of the picture (0)" }),
      button("1:1", () => this.pixelwise(), { title: "A pixel for a pixel (1)" }),
      this.choice, this.windowing, this.inverting,
      button("Reset", () => this.reset(), { title: "As at first (r)" }),
      button("Full screen", () => this.fill(), { title: "Full screen (f)" }),
    );
    this.mode = element("select", { "aria-label": "Heat map", onchange: () => this.heat(this.mode.value) },
      ...HEAT.map(([value, textContent]) => element("option", { value, textContent })));
    this.slider = element("input", {
      type: "range", min: 0, max: 1, step: 0.05, oninput: () => this.cover(+this.slider.value),
    });
    this.heats = element("div", { className: "row", hidden: true },
      element("label", {}, "Heat map", this.mode), element("label", {}, "Opacity", this.slider));
    this.stage = element("div", { className: "panes", tabIndex: 0, role: "application" });
    this.status = element("p", { className: "status" });
    this.keys = element("dl");
    this.root = element("div", { className: "viewer", onkeydown: (event) => this.key(event) },
      this.tools, this.stage, this.heats, this.status,
      element("details", {}, element("summary", { textContent: "Keys and mouse" }), this.keys));
    parent.append(this.root);
  }

  end() {
    this.watcher.disconnect();
    window.removeEventListener("resize", this.resized);
    this.root.remove();
  }

  // What Python says. It comes again when the page runs anew, also where nothing is new.
  async say(data, trigger) {
    this.data = data;
    this.trigger = trigger;
    this.addresses = data.pictures.map((each) => each.address).join();
    this.stage.setAttribute("aria-label", `${data.label}. Zoom, move and window by keys: see Keys and mouse.`);
    this.back.hidden = this.on.hidden = !data.turn;
    this.back.disabled = !data.turn?.back;
    this.on.disabled = !data.turn?.on;
    this.heats.hidden = !data.heat;
    this.list();
    const asked = this.addresses;
    const mine = () => asked === this.addresses && data === this.data;
    try {
      const bitmap = async (answer) => createImageBitmap(await answer.blob());
      const [found, drawing] = await Promise.all([
        this.loaded === asked ? null : this.load(data.pictures),
        data.heat && arrived(data.heat.address, bitmap),
      ]);
      if (!mine()) return;
      this.stage.removeAttribute("aria-busy");
      this.drawing = drawing;
      // As it was set at an earlier picture.
      this.opacity ??= data.heat?.opacity;
      if (found) this.begin(found, asked);
      this.arrange();
    } catch (error) {
      if (!mine()) return;
      // Not the picture before under the name of this one.
      this.stage.replaceChildren();
      this.stage.removeAttribute("aria-busy");
      [this.pictures, this.panes, this.loaded] = [null, [], null];
      this.status.textContent = `The picture did not arrive (${error.message}). Reload the page.`;
    }
  }

  async load(pictures) {
    this.stage.setAttribute("aria-busy", "true");
    const found = await Promise.all(pictures.map((facts) => arrived(facts.address, async (answer) =>
      unpacked(await inflated(answer), facts.width * facts.height, facts.deep))));
    return pictures.map((facts, at) => {
      const canvas = element("canvas", { width: facts.width, height: facts.height });
      const context = canvas.getContext("2d");
      return { ...facts, ...found[at], canvas, context, image: context.createImageData(facts.width, facts.height) };
    });
  }

  begin(pictures, asked) {
    this.pictures = pictures;
    this.loaded = asked;
    this.names = [this.data.first, ...pictures[0].presets.map((each) => each.name)];
    const options = [...this.names, "Set by hand"];
    this.choice.replaceChildren(...options.map((textContent) => element("option", { textContent })));
    this.choice.lastChild.hidden = true;
    // The panes still hold the pictures before these.
    this.panes = [];
    this.reset();
  }

  list() {
    const all = [...(this.data.turn ? TURN_KEYS : []), ...KEYS, ...(this.data.heat ? HEAT_KEYS : [])];
    const row = ([key, text]) => [element("dt", { textContent: key }), element("dd", { textContent: text })];
    this.keys.replaceChildren(...[...MOUSE, ...all].flatMap(row));
  }

  // One pane for each picture, and one more for the heat map where it is beside.
  arrange() {
    const { heat } = this.data;
    const wanted = this.pictures.map((picture, at) => ({
      picture, heated: Boolean(heat) && this.heating === "over", tag: this.pictures.length > 1 ? picture.name : "", at,
    }));
    if (heat && this.heating === "beside") wanted.push({ picture: this.pictures[0], heated: true, tag: "" });
    const tagged = wanted.map((pane) => ({ ...pane, tag: pane.heated ? `Heat map of ${heat.label}` : pane.tag }));
    if (tagged.length !== this.panes.length) {
      this.panes = tagged.map(() => this.pane());
      this.stage.replaceChildren(...this.panes.map((pane) => pane.place));
    }
    tagged.forEach((facts, at) => {
      Object.assign(this.panes[at], facts);
      this.panes[at].label.textContent = facts.tag;
    });
    this.mode.value = this.heating;
    this.slider.value = this.opacity ?? 0;
    this.slider.disabled = this.heating === "off";
    this.measure();
  }

  pane() {
    const canvas = element("canvas");
    const label = element("p", { className: "tag" });
    const place = element("div", { className: "pane" }, canvas, label);
    const pane = { canvas, label, place, context: canvas.getContext("2d") };
    canvas.addEventListener("wheel", (event) => this.wheel(event, pane), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event, pane));
    canvas.addEventListener("pointermove", (event) => this.drag(event, pane));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.release(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    return pane;
  }

  measure() {
    if (!this.panes.length) return;
    const width = this.root.clientWidth;
    const stacked = width < NARROW && this.panes.length > 1;
    this.stage.classList.toggle("stacked", stacked);
    const large = document.fullscreenElement || this.root.matches(":fullscreen, .filling");
    const share = stacked ? width : width / this.panes.length;
    const tall = Math.max(...this.pictures.map((picture) => Math.min(TALLEST, picture.height / picture.width)));
    const most = this.data.room ? Math.max(LEAST, window.innerHeight - this.data.room) : this.data.height;
    const each = Math.min(most / (stacked ? 1.6 : 1), share * tall);
    this.stage.style.height = large ? "" : `${Math.round(stacked ? each * this.panes.length : each)}px`;
    const dense = window.devicePixelRatio || 1;
    for (const pane of this.panes) {
      const { canvas, place } = pane;
      const [wide, high] = [Math.round(place.clientWidth * dense), Math.round(place.clientHeight * dense)];
      if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    }
    this.look(this.view);
  }

  // State, each change followed by what has to be drawn anew.
  look(view) {
    const [first] = this.panes;
    if (!first?.canvas.width || !first.canvas.height) return;
    this.view = clamped(view, first.canvas, first.picture);
    this.stage.classList.toggle("close", this.view.zoom > 1.001);
    this.draw();
  }

  step(factor, pane = this.panes[0], point = null) {
    if (!pane) return;
    const at = point ?? { x: pane.canvas.width / 2, y: pane.canvas.height / 2 };
    this.look(zoomed(this.view, factor, at, pane.canvas, pane.picture));
  }

  slide(right, down) {
    const [pane] = this.panes;
    const dense = window.devicePixelRatio || 1;
    if (pane) this.look(panned(this.view, right * dense, down * dense, pane.canvas, pane.picture));
  }

  pixelwise() {
    const [pane] = this.panes;
    if (pane) this.step(1 / (fit(pane.canvas, pane.picture) * this.view.zoom));
  }

  preset(at) {
    for (const picture of this.pictures) {
      // A picture beside may have other windows: by name, else its own first one.
      const named = picture.presets.find((each) => each.name === this.names[at]);
      picture.window = at === 0 || !named ? { table: picture.table } : named;
    }
    this.chosen = at;
    this.choice.selectedIndex = at;
    this.grade();
  }

  adjust(right, down) {
    for (const picture of this.pictures) {
      const from = picture.window.table ? picture.start : picture.window;
      picture.window = dragged(from, right, down, picture.span, picture.inverted !== this.inverted);
    }
    this.chosen = this.names.length;
    this.choice.lastChild.hidden = false;
    this.choice.selectedIndex = this.chosen;
    this.grade();
  }

  invert() {
    this.inverted = !this.inverted;
    this.grade();
  }

  toggleDrag() {
    const on = this.stage.classList.toggle("windowing");
    this.windowing.setAttribute("aria-pressed", on);
  }

  reset() {
    this.inverted = false;
    this.view = { zoom: 1, x: 0.5, y: 0.5 };
    this.preset(0);
    this.look(this.view);
  }

  heat(way) {
    this.heating = way;
    this.arrange();
  }

  cover(opacity) {
    this.opacity = Math.min(1, Math.max(0, opacity));
    this.slider.value = this.opacity;
    this.draw();
  }

  turn(step) {
    const { turn } = this.data;
    if (turn && (step < 0 ? turn.back : turn.on)) this.trigger("turn", step);
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.root.requestFullscreen) this.root.requestFullscreen();
    else {
      // A telephone that lets no element have the screen.
      this.root.classList.toggle("filling");
      this.measure();
    }
  }

  // Drawing: greys once for each change of the window, all panes at most once a frame.
  grade() {
    this.stale = true;
    this.inverting.setAttribute("aria-pressed", this.inverted);
    this.draw();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.pictures || !this.panes.length) return;
      if (this.stale) for (const picture of this.pictures) this.develop(picture);
      this.stale = false;
      for (const pane of this.panes) this.show(pane);
      this.tell();
    });
  }

  develop(picture) {
    const found = greys(picture, picture.window, this.inverted);
    paint(picture.numbers, found, new Uint32Array(picture.image.data.buffer));
    picture.context.putImageData(picture.image, 0, 0);
  }

  show({ canvas, context, picture, heated }) {
    const { left, top, scale } = placed(this.view, canvas, picture);
    const [wide, high] = [picture.width * scale, picture.height * scale];
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    // Near, the pixels are what they are.
    context.imageSmoothingEnabled = scale < 3 && scale !== 1;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.canvas, left, top, wide, high);
    if (heated && this.drawing) {
      const [x0, y0, x1, y1] = this.data.heat.box;
      context.imageSmoothingEnabled = true;
      context.globalAlpha = this.opacity;
      context.drawImage(this.drawing, left + x0 * wide, top + y0 * high, (x1 - x0) * wide, (y1 - y0) * high);
      context.globalAlpha = 1;
    }
    Object.assign(canvas.dataset, { left, top, scale });
  }

  tell() {
    const [{ canvas }] = this.panes;
    const [picture] = this.pictures;
    const { center, width } = picture.window.table ? picture.start : picture.window;
    const by = this.chosen < this.names.length ? this.names[this.chosen] : "set by hand";
    const parts = [
      `Zoom ${Math.round(100 * canvas.dataset.scale)} %`,
      `window ${numeral(width)} wide around ${numeral(center)} (${by}${this.inverted ? ", inverted" : ""})`,
      `${picture.bits} bits`,
    ];
    const [wide, high] = picture.full;
    if (wide !== picture.width) {
      const size = `${whole(picture.width)} × ${whole(picture.height)}`;
      parts.push(`reduced from ${whole(wide)} × ${whole(high)} to ${size} pixels`);
    }
    this.status.textContent = parts.join(" · ");
    Object.assign(this.stage.dataset, { picture: this.addresses, center, width, window: by, inverted: this.inverted });
  }

  // Mouse, fingers, keys.
  point(event, pane) {
    const box = pane.canvas.getBoundingClientRect();
    const dense = pane.canvas.width / box.width;
    return { x: (event.clientX - box.left) * dense, y: (event.clientY - box.top) * dense };
  }

  wheel(event, pane) {
    const before = this.view.zoom;
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    const factor = Math.exp(-Math.max(-120, Math.min(120, pixels)) * (event.ctrlKey ? 0.01 : 0.002));
    this.step(factor, pane, this.point(event, pane));
    // All of it is seen already: the page scrolls on.
    if (this.view.zoom !== before || factor > 1 || event.ctrlKey) event.preventDefault();
  }

  press(event, pane) {
    this.pointers.set(event.pointerId, this.point(event, pane));
    pane.canvas.setPointerCapture(event.pointerId);
    this.sets = event.button === 2 || event.shiftKey || this.stage.classList.contains("windowing");
    this.stage.classList.add("moving");
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
  }

  drag(event, pane) {
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const to = this.point(event, pane);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, to);
    const { canvas, picture } = pane;
    if (other) {
      const apart = (a) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
      const middle = (a) => ({ x: (a.x + other.x) / 2, y: (a.y + other.y) / 2 });
      this.step(apart(to) / apart(from), pane, middle(from));
      this.look(panned(this.view, middle(to).x - middle(from).x, middle(to).y - middle(from).y, canvas, picture));
    } else if (this.sets) {
      this.adjust((to.x - from.x) / canvas.width, (to.y - from.y) / canvas.height);
    } else {
      this.look(panned(this.view, to.x - from.x, to.y - from.y, canvas, picture));
    }
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    this.stage.classList.toggle("moving", this.pointers.size > 0);
  }

  key(event) {
    const own = event.composedPath()[0].tagName;
    if (event.ctrlKey || event.metaKey || event.altKey || own === "SELECT" || own === "INPUT" || !this.pictures) return;
    const moves = { ArrowLeft: [SLIDE, 0], ArrowRight: [-SLIDE, 0], ArrowUp: [0, SLIDE], ArrowDown: [0, -SLIDE] };
    const does = {
      "+": () => this.step(NUDGE), "=": () => this.step(NUDGE), "-": () => this.step(1 / NUDGE),
      0: () => this.look({ zoom: 1, x: 0.5, y: 0.5 }), 1: () => this.pixelwise(),
      b: () => this.adjust(0, -0.05), d: () => this.adjust(0, 0.05),
      n: () => this.adjust(-0.05, 0), m: () => this.adjust(0.05, 0),
      w: () => this.preset((Math.min(this.chosen, this.names.length - 1) + 1) % this.names.length),
      i: () => this.invert(), v: () => this.toggleDrag(), r: () => this.reset(), f: () => this.fill(),
      ...(this.data.heat && {
        h: () => this.heat(HEAT[(HEAT.findIndex(([way]) => way === this.heating) + 1) % HEAT.length][0]),
        ",": () => this.cover(this.opacity - 0.05), ".": () => this.cover(this.opacity + 0.05),
      }),
    };
    const move = moves[event.key];
    if (move && event.shiftKey) this.slide(...move);
    else if (move && this.data.turn && move[0]) this.turn(-Math.sign(move[0]));
    else if (does[event.key.toLowerCase()]) does[event.key.toLowerCase()]();
    else return;
    event.preventDefault();
    // Not to Streamlit, whose own keys rerun the page.
    event.stopPropagation();
  }
}

const viewers = new WeakMap();

export default function mount({ data, parentElement, setTriggerValue }) {
  if (!viewers.has(parentElement)) viewers.set(parentElement, new Viewer(parentElement));
  const viewer = viewers.get(parentElement);
  viewer.say(data, setTriggerValue);
  viewer.mounts = (viewer.mounts ?? 0) + 1;
  const mine = viewer.mounts;
  return () => {
    // A call that a later one overtook is ended too: the later one has the place.
    if (viewer.mounts !== mine) return;
    viewer.end();
    viewers.delete(parentElement);
  };
}
