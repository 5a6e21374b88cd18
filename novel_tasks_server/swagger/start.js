"use strict";
// Relative to the page, so that it works below any path. A token lives only as long as the page.
SwaggerUIBundle({
  url: "openapi.json",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  syntaxHighlight: true,
});
