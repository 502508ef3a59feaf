/** Loaded before a program: at its end, prints what it has asked of the kernel: TCP, UDP, names. */
const calls = [];
function watch(target, names) {
  for (const name of names) {
    const original = target[name];
    target[name] = function (...args) {
      calls.push(name);
      return original.apply(this, args);
    };
  }
}
watch(process.binding('tcp_wrap').TCP.prototype, ['open', 'bind', 'bind6', 'listen', 'connect', 'connect6']);
watch(process.binding('udp_wrap').UDP.prototype, ['open', 'bind', 'bind6', 'connect', 'connect6', 'send', 'send6']);
// localhost is asked of the machine where nobody else is configured; it is no traffic.
const cares = process.binding('cares_wrap');
const { getaddrinfo } = cares;
cares.getaddrinfo = function (request, hostname, ...rest) {
  if (hostname !== 'localhost') calls.push(`getaddrinfo ${hostname}`);
  return getaddrinfo.call(this, request, hostname, ...rest);
};
watch(cares.ChannelWrap.prototype, ['queryA', 'queryAaaa', 'queryTxt', 'querySrv', 'queryMx', 'getHostByAddr']);
process.on('exit', () => process.stdout.write(`kernel: ${calls.join(' ') || 'nothing'}\n`));
