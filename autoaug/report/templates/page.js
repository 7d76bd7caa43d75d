// Charts are drawn one after another, so that the page answers in between; they follow its colors and its width.
const dark = matchMedia("(prefers-color-scheme: dark)");
function colors(place) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
  const found = {"font.color": ink};
  for (const axis of Object.keys(place.layout).filter(key => /^[xy]axis\d*$/.test(key))) found[axis + ".gridcolor"] = line;
  const cells = [...place.data.keys()].filter(i => place.data[i].type === "heatmap");
  return Plotly.update(place, cells.length ? {"textfont.color": ink} : {}, found, cells.length ? cells : undefined);
}
const waiting = [...document.querySelectorAll("[data-figure]")];
let drawing = false;
async function draw() {  // what is folded is drawn once it is opened: before that, it has no width
  const next = waiting.findIndex(given => !given.closest("details:not([open])"));
  drawing = next >= 0;
  if (!drawing) { document.body.dataset.drawn = "all"; return; }
  const [given] = waiting.splice(next, 1);
  const figure = JSON.parse(given.textContent);
  const place = document.getElementById(given.dataset.figure);
  await Plotly.newPlot(place, figure.data, figure.layout, {displaylogo: false, responsive: true, displayModeBar: false});
  await colors(place);
  setTimeout(draw, 0);
}
function begin() {  // Plotly's own script takes a second to run: the page is shown, and answers, before it
  const held = document.querySelector("script[data-plotly]");
  if (held) document.head.append(Object.assign(document.createElement("script"), {textContent: held.textContent}));
  draw();
  document.addEventListener("toggle", () => { if (!drawing) draw(); }, true);
}
requestAnimationFrame(() => setTimeout(begin, 0));
function unfold() {  // what an address points to
  const section = location.hash && document.getElementById(location.hash.slice(1));
  const part = section && section.querySelector(":scope > details");
  if (part) part.open = true;
}
unfold();
addEventListener("hashchange", unfold);
dark.addEventListener("change", () => {
  for (const place of document.querySelectorAll(".js-plotly-plot")) colors(place);
});

for (const button of document.querySelectorAll("[data-redraw]")) {
  let drawn = 0;
  button.addEventListener("click", () => {
    drawn += 1;
    for (const sample of document.getElementById("gallery-" + button.dataset.redraw).children) {
      const all = sample.querySelectorAll("[data-draw]");
      all.forEach((one, i) => { one.hidden = i !== drawn % all.length; });
    }
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => {  // the clipboard's newer interface is closed to pages from files
    getSelection().selectAllChildren(button.parentElement.querySelector("pre"));
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl-C";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
