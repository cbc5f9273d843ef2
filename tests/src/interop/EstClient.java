import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.HttpAuth;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** Bouncy Castle's EST client: ADDRESS CA-FILE USER PASSWORD NAME. It prints how many CAs there are, and two serials. */
class EstClient {
  public static void main(String[] args) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    String address = args[0], user = args[2], password = args[3], name = args[4];
    X509Certificate root = read(new FileInputStream(args[1]).readAllBytes());
    JsseESTServiceBuilder first = connecting(address, root);
    System.out.println(first.build().getCACerts().getCertificateStore().getMatches(null).size());
    if (first.build().getCSRAttributes().hasAttributesResponse()) throw new Exception("no attributes are demanded");

    KeyPair key = KeyPairGenerator.getInstance("EC").generateKeyPair();
    ExtensionsGenerator extensions = new ExtensionsGenerator();
    GeneralNames names = new GeneralNames(new GeneralName(GeneralName.dNSName, name));
    extensions.addExtension(Extension.subjectAlternativeName, false, names);
    PKCS10CertificationRequest request = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=" + name), key.getPublic())
        .addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate())
        .build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()));

    HttpAuth token = new HttpAuth(user, password.toCharArray());
    X509Certificate enrolled = certificate(first.build().simpleEnroll(false, request, token));
    System.out.println(enrolled.getSerialNumber().toString(16));

    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null);
    store.setKeyEntry("key", key.getPrivate(), new char[0], new Certificate[] {enrolled});
    KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
    keys.init(store, new char[0]);
    JsseESTServiceBuilder again = connecting(address, root).withKeyManagers(keys.getKeyManagers());
    System.out.println(certificate(again.build().simpleEnroll(true, request, null)).getSerialNumber().toString(16));
  }

  static JsseESTServiceBuilder connecting(String address, X509Certificate root) {
    return new JsseESTServiceBuilder(address, JcaJceUtils.getCertPathTrustManager(Set.of(new TrustAnchor(root, null)), null));
  }

  static X509Certificate certificate(EnrollmentResponse response) throws Exception {
    X509CertificateHolder holder = response.getStore().getMatches(null).iterator().next();
    return read(holder.getEncoded());
  }

  static X509Certificate read(byte[] bytes) throws Exception {
    return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(bytes));
  }
}
