// Shows the contract with Swagger UI. It is a separate file because the page's
// Content-Security-Policy forbids inline scripts.
"use strict";

const contract = document.getElementById("contract");

// Swagger UI has a dark theme; the page must select it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
document.documentElement.classList.toggle("dark-mode", dark.matches);

// Folds the examples of problems: an operation has a dozen of them. The row of a failure names its
// codes, and a button shows its headers and examples.
const foldFailures = {
  wrapComponents: {
    response: (Original, { React }) =>
      class extends React.Component {
        state = { open: false };

        render() {
          const { code, response } = this.props;
          const { open } = this.state;
          if (code.startsWith("2")) return React.createElement(Original, this.props);
          const row = open ? this.props
            : { ...this.props, response: response.delete("content").delete("headers") };
          const button = React.createElement("button", {
            "aria-expanded": open,
            "aria-label": `Example of ${code}`,
            onClick: () => this.setState({ open: !open }),
          }, open ? "Hide the example" : "Show the example");
          const fold = React.createElement("tr", { className: "fold" },
            React.createElement("td"), React.createElement("td", null, button));
          return React.createElement(React.Fragment, null,
            React.createElement(Original, row), fold);
        }
      },
  },
};

SwaggerUIBundle({
  url: contract.dataset.url,
  domNode: contract,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  plugins: [foldFailures],
  persistAuthorization: false, // a caller's key must not outlive the page
  validatorUrl: null, // send nothing to other sites
});
