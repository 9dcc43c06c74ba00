// A place to drop a file on, or to choose one: sent to the kernel in pieces by message, never kept in widget state.
const PIECE = 1 << 20;

async function send(model, file, say, texts) {
  const content = await file.arrayBuffer();
  const pieces = Math.max(1, Math.ceil(content.byteLength / PIECE));
  say(texts.sending.replace("{name}", file.name));
  for (let at = 0; at < pieces; at++) {
    const piece = content.slice(at * PIECE, (at + 1) * PIECE);
    model.send({ type: "piece", name: file.name, at, pieces }, undefined, [piece]);
  }
  say(file.name);
}

function render({ model, el }) {
  const texts = model.get("texts");
  const zone = document.createElement("label");
  zone.className = "sdrs-drop";
  const words = document.createElement("span");
  words.textContent = texts.hint;
  const input = document.createElement("input");
  input.type = "file";
  input.accept = texts.accept;
  zone.append(words, input);
  const said = document.createElement("span");
  said.className = "sdrs-drop-said";
  said.setAttribute("role", "status");
  el.append(zone, said);
  const say = text => { said.textContent = text; };
  const take = files => { if (files && files.length) send(model, files[0], say, texts); };
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  zone.addEventListener("dragover", event => { event.preventDefault(); zone.classList.add("sdrs-over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("sdrs-over"));
  zone.addEventListener("drop", event => {
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove("sdrs-over");
    take(event.dataTransfer.files);
  });
}

export default { render };
