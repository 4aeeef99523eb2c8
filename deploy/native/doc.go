// Package native runs what docker-compose.yml describes without containers: the same programs in the same versions, in
// the order and with the commands, variables and health checks of the file, on PostgreSQL as it is installed here. Only
// host names, ports and paths are replaced. It holds a test only, which needs Linux.
package native
