// Package deploy contains the dynamic configuration of the Temporal server and an example of the
// settings. A deployment needs the files of package deploy in addition to docker-compose.yml and
// Dockerfile in the root directory. The tests of the package compare all files of a deployment with
// the settings that the programs in the images read.
package deploy
