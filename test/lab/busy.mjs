// Preloaded into `tanist vrrp` to make its main process busy: blocks of 50 ms, one after the other, as a control plane
// under load would have them. The router process, which has another entry, is left alone.
if (process.argv[1]?.endsWith('/tanist')) {
  const BLOCK_MS = 50;
  const block = () => {
    const end = performance.now() + BLOCK_MS;
    while (performance.now() < end);
    setImmediate(block);
  };
  setTimeout(block, 1000);
}
