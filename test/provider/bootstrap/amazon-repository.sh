#!/usr/bin/env bash
# Makes two repositories of RPM packages and serves them on a loopback port of the machine that it runs on: one that stands in
# for Amazon Linux's, and one for NVIDIA's, which is signed and has the driver in module streams, the newest of which is not
# the one that is wanted.
# Usage: amazon-repository.sh KERNEL PORT OF_DEBIAN      OF_DEBIAN is the address of the repository of the other systems
set -euo pipefail
kernel=$1 port=$2 debian=$3
top=/srv/amazon
export GNUPGHOME=$top/gpg
mkdir -p "$top"/{specs,content,aws,nvidia/amzn2023/x86_64} "$GNUPGHOME"
chmod 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'cudatools <test@example.org>' rsa3072 sign never

# nvidia-smi and CUDA's library are those of the packages of the other systems.
curl -fsS -o $top/driver.deb "$debian/nvidia-driver-cuda_1_all.deb"
curl -fsS -o $top/toolkit.deb "$debian/nvidia-container-toolkit_1_all.deb"
for package in driver toolkit; do dpkg-deb -x $top/$package.deb $top/content/$package; done

# package FOLDER NAME VERSION-RELEASE [ARCHITECTURE [FILES_BELOW [REQUIRES [SCRIPT]]]]
package() {
  local folder=$1 name=$2 version=${3%-*} release=${3##*-} arch=${4:-x86_64} files=${5:-} requires=${6:-} script=${7:-}
  {
    printf 'Name: %s\nVersion: %s\nRelease: %s\nSummary: stands in for it\nLicense: none\nAutoReqProv: no\n' "$name" "$version" "$release"
    if [ "$arch" = noarch ]; then echo 'BuildArch: noarch'; fi
    if [ -n "$requires" ]; then echo "Requires: $requires"; fi
    printf '%%description\n%%{summary}\n%%install\nmkdir -p %%{buildroot}\n'
    if [ -n "$files" ]; then echo "cp -a $files/. %{buildroot}/"; fi
    if [ -n "$script" ]; then printf '%%post\n%s\n' "$script"; fi
    echo '%files'
    if [ -n "$files" ]; then (cd "$files" && find . -type f | sed 's|^\.||'); fi
  } >"$top/specs/$name.spec"
  rpmbuild --quiet -bb --define "_rpmdir $top/$folder" --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
    --define "_topdir $top/build" --define 'debug_package %{nil}' --define '__os_install_post %{nil}' "$top/specs/$name.spec"
}
file() { # file NAME PATH TEXT: a tree with that one file
  mkdir -p "$(dirname "$top/content/$1/$2")"
  printf '%s\n' "$3" >"$top/content/$1/$2"
  echo "$top/content/$1"
}

version=${kernel%.*} # without the architecture
for part in devel headers modules-extra; do
  files=$(if [ $part = devel ]; then file devel "lib/modules/$kernel/build/Makefile" all:; fi)
  package aws "kernel-$part" "$version" x86_64 "$files"
done
for name in gcc make patch; do package aws $name 11-1; done
# Amazon's own dkms is the wrong one for NVIDIA's modules.
package aws dkms 3.9-1 noarch '' '' 'touch /etc/fake/wrong-dkms'
package aws python3-dnf-plugin-versionlock 4.3.0-1 noarch
package aws mdadm 4.2-1
# Its python3.12 is a command of that name for the Python that python-stand-in.sh made, whose header comes with the -devel package.
if [ -e /srv/python ]; then
  header=$(find /srv/python -name Python.h)
  rm "$header"
  # shellcheck disable=SC2016  # expanded when it runs
  files=$(file python usr/bin/python3.12 '#!/bin/sh
exec /srv/python/bin/python3 "$@"')
  chmod +x $top/content/python/usr/bin/python3.12
  package aws python3.12 3.12.13-2 x86_64 "$files"
  package aws python3.12-devel 3.12.13-2 x86_64 "$(file python-devel "${header#/}" '/* for no compiler */')"
  curl -fsS -o $top/compiler.deb "$debian/g++_1_all.deb"
  dpkg-deb -x $top/compiler.deb $top/content/compiler
  package aws gcc-c++ 11-1 x86_64 $top/content/compiler
fi

nvidia=nvidia/amzn2023/x86_64
driver=580.126.09-1 newest=595.71.05-1
package $nvidia dkms 3.2-1 noarch
package $nvidia nvidia-driver-cuda $driver x86_64 $top/content/driver
package $nvidia nvidia-driver-cuda $newest x86_64 $top/content/driver
for each in $driver $newest; do
  mkdir -p "$top/content/open-$each/usr/lib/fake-driver"
  echo "${each%-*}" >"$top/content/open-$each/usr/lib/fake-driver/version"
  echo no >"$top/content/open-$each/usr/lib/fake-driver/signed"
  package $nvidia nvidia-open "$each" noarch "$top/content/open-$each" "nvidia-driver-cuda = ${each%-*}, dkms"
done
package $nvidia nvidia-container-toolkit 1.17-1 x86_64 $top/content/toolkit
gpg --armor --export >"$top/$nvidia/D42D0685.pub"
rpmsign --addsign --key-id test@example.org --define '__gpg /usr/bin/gpg' "$top/$nvidia"/*.rpm >/dev/null

createrepo_c -q "$top/aws"
createrepo_c -q "$top/$nvidia"
stream() { # stream NAME VERSION CONTEXT
  cat <<YAML
---
document: modulemd
version: 2
data:
  name: nvidia-driver
  stream: $1
  version: 20260101
  context: $3
  arch: x86_64
  summary: driver
  description: driver
  license: {module: [none]}
  profiles: {default: {rpms: [nvidia-open]}}
  artifacts:
    rpms: ["nvidia-open-0:$2.noarch", "nvidia-driver-cuda-0:$2.x86_64"]
YAML
}
{ stream 580-open $driver 11111111; stream latest-open $newest 22222222; } >$top/modules.yaml
modifyrepo_c --mdtype=modules $top/modules.yaml "$top/$nvidia/repodata" >/dev/null
# What Debian's dnf has otherwise than Amazon's.
sed -i 's/^enabled.*/enabled=false/' /etc/dnf/plugins/local.conf
printf '[main]\ngpgcheck=1\nmodule_platform_id=platform:al2023\n' >/etc/dnf/dnf.conf
mkdir -p /etc/dnf/vars /etc/yum.repos.d
echo 2023 >/etc/dnf/vars/releasever
printf '[amazonlinux]\nname=Amazon Linux\nbaseurl=http://127.0.0.1:%s/aws\ngpgcheck=0\npriority=10\n' "$port" >/etc/yum.repos.d/amazonlinux.repo
systemd-run --quiet --unit=amazon-repository python3 -m http.server "$port" --bind 127.0.0.1 --directory $top
gpg --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10; exit }'
