// The contrast of each text with what lies behind it, as WCAG 2 reckons it; AA asks for 4.5.
const parts = colour => colour.match(/[\d.]+/g).map(Number);

const luminance = colour => {
  const linear = parts(colour).slice(0, 3).map(part => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};

const ground = element => {
  const colour = getComputedStyle(element).backgroundColor;
  return parts(colour)[3] === 0 ? ground(element.parentElement) : colour;
};

const contrasts = {};
for (const element of document.querySelectorAll("body *")) {
  const texts = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
  const text = texts.map(node => node.data.trim()).join("");
  if (text) {
    const [dark, light] = [getComputedStyle(element).color, ground(element)]
      .map(luminance).sort((one, other) => one - other);
    contrasts[text] = (light + 0.05) / (dark + 0.05);
  }
}
return contrasts;
