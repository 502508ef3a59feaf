/** Loaded before a program: at its end, prints the TCP calls it has made to the kernel. */
const calls = [];
const { prototype } = process.binding('tcp_wrap').TCP;
for (const name of ['open', 'bind', 'bind6', 'listen', 'connect', 'connect6']) {
  const original = prototype[name];
  prototype[name] = function (...args) {
    calls.push(name);
    return original.apply(this, args);
  };
}
process.on('exit', () => process.stdout.write(`kernel: ${calls.join(' ') || 'nothing'}\n`));
