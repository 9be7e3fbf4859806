// Shows the contract with Swagger UI. A file of its own, for the page allows no inline script.
"use strict";

const contract = document.getElementById("contract");

// Swagger UI has colours for the dark, but leaves it to us to say when it is.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
document.documentElement.classList.toggle("dark-mode", dark.matches);

SwaggerUIBundle({
  url: contract.dataset.url,
  domNode: contract,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false, // a key is forgotten with the page
  validatorUrl: null, // nothing leaves for another site
});
