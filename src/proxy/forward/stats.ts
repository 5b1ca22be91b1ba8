/** The counters behind the statistics page, by nutcracker's names. */

export class ServerStats {
  server_eof = 0;
  server_err = 0;
  server_timedout = 0;
  server_connections = 0;
  /** Microseconds since the epoch, as nutcracker gives it. */
  server_ejected_at = 0;
  requests = 0;
  request_bytes = 0;
  responses = 0;
  response_bytes = 0;
  in_queue = 0;
  in_queue_bytes = 0;
  out_queue = 0;
  out_queue_bytes = 0;
}

export class PoolStats {
  client_eof = 0;
  client_err = 0;
  client_connections = 0;
  server_ejects = 0;
  forward_error = 0;
  fragments = 0;
}
