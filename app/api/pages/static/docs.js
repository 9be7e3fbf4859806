// Shows the contract with Swagger UI. It is a separate file because the page's
// Content-Security-Policy forbids inline scripts.
"use strict";

const contract = document.getElementById("contract");

// Swagger UI has a dark theme; the page must select it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
document.documentElement.classList.toggle("dark-mode", dark.matches);

SwaggerUIBundle({
  url: contract.dataset.url,
  domNode: contract,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false, // a caller's key must not outlive the page
  validatorUrl: null, // send nothing to other sites
});
