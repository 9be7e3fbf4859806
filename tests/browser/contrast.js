// The contrast of each text with what lies behind it, as WCAG 2 reckons it; AA asks for 4.5.
const parts = colour => colour.match(/[\d.]+/g).map(Number);

const luminance = colour => {
  const linear = parts(colour).slice(0, 3).map(part => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};

// What lies behind a text: the colours of the elements around it, the transparent ones mixed.
const ground = element => {
  const [red, green, blue, alpha = 1] = parts(getComputedStyle(element).backgroundColor);
  if (alpha === 1) return `rgb(${red}, ${green}, ${blue})`;
  const behind = element.parentElement
    ? parts(ground(element.parentElement)) : [255, 255, 255];
  const mixed = [red, green, blue].map((part, n) => part * alpha + behind[n] * (1 - alpha));
  return `rgb(${mixed.join(", ")})`;
};

const contrasts = {};
for (const element of document.querySelectorAll("body *")) {
  const texts = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
  const text = texts.map(node => node.data.trim()).join("");
  if (text && element.checkVisibility() && element.localName !== "option") {
    const [dark, light] = [getComputedStyle(element).color, ground(element)]
      .map(luminance).sort((one, other) => one - other);
    contrasts[text] = (light + 0.05) / (dark + 0.05);
  }
}
return contrasts;
