// Charts follow the page's colours, light or dark, and its width.
const dark = matchMedia("(prefers-color-scheme: dark)");
function recolour() {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
  for (const figure of document.querySelectorAll(".js-plotly-plot")) {
    const colours = {"font.color": ink};
    for (const axis of Object.keys(figure.layout).filter(key => /^[xy]axis\d*$/.test(key))) colours[axis + ".gridcolor"] = line;
    Plotly.relayout(figure, colours);
  }
}
dark.addEventListener("change", recolour);
recolour();

for (const button of document.querySelectorAll("[data-redraw]")) {
  let drawn = 0;
  button.addEventListener("click", () => {
    drawn += 1;
    for (const card of document.getElementById("gallery-" + button.dataset.redraw).children) {
      const all = card.querySelectorAll("[data-draw]");
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
