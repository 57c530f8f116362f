// A document's page under a link that ends in #start-end: the server marks those characters.

function follow() {
  const span = /^#(\d+)-(\d+)$/.exec(location.hash);
  if (!span || document.getElementById(location.hash.slice(1))) return;
  const address = new URL(location.href);
  if (address.searchParams.get("start") === span[1] && address.searchParams.get("end") === span[2]) return; // not in the text
  address.searchParams.set("start", span[1]);
  address.searchParams.set("end", span[2]);
  location.replace(address);
}

follow();
addEventListener("hashchange", follow);
