# What is installed beside the program, and the Debian package: cpack --config build/release/CPackConfig.cmake -B build/package
#
# `cmake --install` puts everything under its prefix; the component `system` has absolute places and goes into packages only.
set(man_page "${CMAKE_BINARY_DIR}/tidemark.1.gz")
add_custom_command(OUTPUT "${man_page}" COMMAND gzip -9nc "${CMAKE_SOURCE_DIR}/deploy/man/tidemark.1" > "${man_page}"
    DEPENDS deploy/man/tidemark.1 VERBATIM)
add_custom_target(tidemark_man ALL DEPENDS "${man_page}")

install(FILES "${man_page}" DESTINATION share/man/man1)
install(FILES deploy/completion/tidemark DESTINATION share/bash-completion/completions)
file(GLOB ready_made CONFIGURE_DEPENDS config/*.yaml)
install(FILES ${ready_made} DESTINATION share/tidemark/config)
install(FILES LICENSE README.md ARCHITECTURE.md DESTINATION share/doc/tidemark)
install(FILES config/README.md DESTINATION share/doc/tidemark/config)
install(DIRECTORY schemas DESTINATION share/doc/tidemark)
install(FILES deploy/README.md deploy/compose.yaml deploy/Dockerfile DESTINATION share/doc/tidemark/deploy)
install(DIRECTORY deploy/prometheus deploy/grafana deploy/compose deploy/kubernetes DESTINATION share/doc/tidemark/deploy)
install(DIRECTORY "${TIDEMARK_DEPS_DIR}/licences/" DESTINATION share/doc/tidemark/licences)

install(FILES deploy/debian/copyright DESTINATION /usr/share/doc/tidemark COMPONENT system EXCLUDE_FROM_ALL)
install(FILES deploy/systemd/tidemark.service DESTINATION /usr/lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES config/sample.yaml RENAME tidemark.yaml DESTINATION /etc/tidemark COMPONENT system EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /etc/tidemark/secrets DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    COMPONENT system EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tidemark)
set(CPACK_PACKAGE_CONTACT "The authors of Tidemark <tidemark@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "real-time customer scoring from Kafka to Kafka")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Tidemark reads purchases, interactions and feedback from Kafka, keeps its state in Redis, and publishes a tier change,
exactly once, the moment a customer crosses a threshold of the rules.
.
The service is installed with a sample configuration, and neither enabled nor started.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS
    "${CMAKE_BINARY_DIR};tidemark;ALL;/" "${CMAKE_BINARY_DIR};tidemark;system;/")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS tzdata) # days begin in a time zone
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates) # TLS to Kafka and Redis
set(CPACK_DEBIAN_PACKAGE_SUGGESTS redis-server)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(file postinst prerm postrm conffiles)
    list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${CMAKE_SOURCE_DIR}/deploy/debian/${file}")
endforeach()
include(CPack)
