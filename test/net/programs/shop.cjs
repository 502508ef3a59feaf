/** Loaded after estab/register: a web server on the port that the declared network puts on another host. */
const { createServer } = require('node:http');
createServer((_request, response) => response.end('the shop'))
  .listen(80)
  .unref();
