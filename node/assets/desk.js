// What pages do beyond plain forms: mark a form as sent, and renew what waits for others.

// A form that was sent says so and is not sent twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post") return;
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button[type=submit]")) {
    button.setAttribute("aria-busy", "true");
    button.classList.add("btn-loading");
  }
});

// A page that comes back from the browser's history may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) {
      button.removeAttribute("aria-busy");
      button.classList.remove("btn-loading");
    }
  }
});

// The part of a page that waits for others is read anew while somebody looks at it and does
// nothing in it.
const EVERY = 10_000;
async function renew(part) {
  const used = part.contains(document.activeElement) || part.querySelector("form[data-sent], details[open]");
  if (document.hidden || used) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
}
for (const part of document.querySelectorAll("[data-live]")) {
  setInterval(() => renew(part).catch(() => {}), EVERY);
}
