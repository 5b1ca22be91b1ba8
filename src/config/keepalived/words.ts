/** The words keepalived 2.2.7 knows that need no value of ours: what opens a block, and what is not handled. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Blocks that stand at the outermost level only, and so show that an earlier block was not closed. */
export const TOP_BLOCKS = words(`
  global_defs vrrp_instance vrrp_script vrrp_sync_group vrrp_track_process vrrp_track_file virtual_server
  virtual_server_group static_ipaddress static_routes static_rules bfd_instance garp_group linkbeat_interfaces
  interface_up_down_delays track_group
`);

/** Which words open a block, by the block they stand in; '' is the outermost level. */
export const BLOCK_WORDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['', new Set([...TOP_BLOCKS, 'track_file', 'track_process'])],
  ['global_defs', words('notification_email')],
  [
    'vrrp_instance',
    words(`authentication virtual_ipaddress virtual_ipaddress_excluded virtual_routes virtual_rules unicast_peer
      track_interface track_script track_file track_process track_bfd`),
  ],
  ['vrrp_sync_group', words('group track_interface track_script track_file track_process track_bfd')],
  ['garp_group', words('interfaces')],
]);

/** Parts of keepalived that Tanist is not: load balancing, BFD, static routes. Named, then passed over whole. */
export const FOREIGN_BLOCKS: ReadonlyMap<string, string> = new Map([
  ['virtual_server', 'load balancing (IPVS) is not handled'],
  ['virtual_server_group', 'load balancing (IPVS) is not handled'],
  ['SSL', 'load balancing (IPVS) is not handled'],
  ['bfd_instance', 'BFD is not handled'],
  ['static_ipaddress', 'static addresses are not handled: they are for the network configuration of the host'],
  ['static_routes', 'static routes are not handled: they are for the network configuration of the host'],
  ['static_rules', 'static rules are not handled: they are for the network configuration of the host'],
  ['track_group', 'static track groups are not handled'],
  ['linkbeat_interfaces', 'link polling is not handled: link changes come from the kernel at once'],
  ['interface_up_down_delays', 'link debouncing is not handled: a link that goes down counts at once'],
  ['garp_group', 'delays by interface are not handled: use vrrp_garp_interval and vrrp_gna_interval'],
]);

/** Words of global_defs without any bearing on VRRP as Tanist does it. */
export const HARMLESS_GLOBALS = words(`
  notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert
  smtp_alert_vrrp smtp_alert_checker checker_log_all_failures no_email_faults no_checker_emails lvs_id router_id
  lvs_sync_daemon lvs_timeouts lvs_flush lvs_flush_on_stop lvs_notify_fifo lvs_notify_fifo_script
  lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
  lvs_netlink_monitor_rcv_bufs_force nftables nftables_priority nftables_counters nftables_ifindex nftables_ipvs
  nftables_ipvs_priority nftables_ipvs_start_fwmark vrrp_iptables vrrp_ipsets disable_local_igmp
  checker_priority bfd_priority checker_no_swap bfd_no_swap vrrp_cpu_affinity checker_cpu_affinity bfd_cpu_affinity
  checker_rt_priority bfd_rt_priority vrrp_rlimit_rttime vrrp_rlimit_rtime checker_rlimit_rttime bfd_rlimit_rttime
  snmp_socket enable_snmp_vrrp enable_snmp_checker enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_traps
  enable_snmp_keepalived enable_dbus dbus_service_name dbus_no_interface_name dynamic_interfaces
  vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
  vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force vrrp_rx_bufs_policy
  vrrp_rx_bufs_multiplier rs_init_notifies umask log_unknown_vrids vmac_prefix vmac_addr_prefix random_seed
  reload_check_config include_check data_use_instance tmp_config_directory config_save_dir process_names process_name
  vrrp_process_name checker_process_name bfd_process_name max_auto_priority min_auto_priority_delay vrrp_priority
  vrrp_no_swap vrrp_rt_priority json_version
`);

/** Words of global_defs that change what VRRP does, and are not handled. */
export const UNHANDLED_GLOBALS = words(`
  startup_script startup_script_timeout shutdown_script shutdown_script_timeout vrrp_garp_extra_if reload_time_file
  reload_repeat reload_file fifo_write_vrrp_states_on_reload
`);

/** Top-level words (not blocks) that are not handled. */
export const UNHANDLED_TOP = words(`
  net_namespace net_namespace_ipvs namespace_with_ipsets instance use_pid_dir linkbeat_use_polling child_wait_time
`);

/** Words of vrrp_instance without any bearing on VRRP as Tanist does it. */
export const HARMLESS_IN_INSTANCE = words(`
  debug smtp_alert lvs_sync_daemon_interface lvs_sync_daemon kernel_rx_buf_size linkbeat_use_polling
  old_unicast_checksum native_ipv6
`);

/** Words of vrrp_instance that change what VRRP does, and are not handled. */
export const UNHANDLED_IN_INSTANCE: ReadonlyMap<string, string> = new Map([
  ['use_vmac', 'virtual MAC addresses are not handled: the address moves by gratuitous ARP instead'],
  ['use_vmac_addr', 'virtual MAC addresses are not handled: the address moves by gratuitous ARP instead'],
  ['vmac_xmit_base', 'virtual MAC addresses are not handled'],
  ['use_ipvlan', 'ipvlan interfaces are not handled'],
  ['vrf', 'VRFs are not handled'],
  ['no_accept', 'no_accept is not handled: packets to the addresses are accepted'],
  ['virtual_routes', 'virtual routes are not handled'],
  ['virtual_rules', 'virtual rules are not handled'],
  ['track_bfd', 'BFD is not handled'],
  ['garp_extra_if', 'garp_extra_if is not handled'],
  ['promote_secondaries', 'not handled: set net.ipv4.conf.IF.promote_secondaries on the host'],
]);

export const HARMLESS_IN_GROUP = words('smtp_alert global_tracking');
