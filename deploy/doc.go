// Package deploy contains the dynamic configuration of the Temporal server and an example of the
// settings. A deployment needs the files of package deploy in addition to docker-compose.yml and
// Dockerfile in the root directory.
package deploy
