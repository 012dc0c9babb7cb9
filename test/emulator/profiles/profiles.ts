import { acr, dockerHub, ecr, ecrPublic, gar, gcr, ghcr, gitlab } from './cloud-registries.js'
import {
  artifactory,
  distribution2,
  distribution3,
  gitea,
  harbor,
  ncr,
  nexus,
  openshift,
  quay,
  spec,
  zot,
} from './own-registries.js'
import type { Profile, ProfileName } from './profile.js'

/** Every registry that can be emulated. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  spec,
  acr,
  gar,
  gcr,
  quay,
  harbor,
  ncr,
  openshift,
  'docker-hub': dockerHub,
  ecr,
  'ecr-public': ecrPublic,
  ghcr,
  gitlab,
  artifactory,
  nexus,
  gitea,
  zot,
  'distribution-2.8': distribution2,
  'distribution-3': distribution3,
}
